#!/usr/bin/perl
# parts_mimetools.pl: what MIME-tools sees in each mail named: a line as of parts_gmime.c.
use strict;
use warnings;
use Digest::SHA qw(sha256_hex);
use MIME::Parser;

sub entities {
	my ($entity) = @_;
	my @found = ($entity);
	push @found, entities($_) for $entity->parts;
	return @found;
}

my $parser = MIME::Parser->new;
$parser->output_to_core(1);
$parser->tmp_to_core(1);
$parser->extract_nested_messages(1);
$parser->extract_uuencode(1);
for my $path (@ARGV) {
	open(my $file, '<:raw', $path) or die "$path: $!\n";
	my $top = $parser->parse($file);
	my @all = entities($top);
	my @leaves = grep { !$_->parts && $_->bodyhandle } @all;
	my $first = $leaves[0];
	my $charset = $first ? $first->head->mime_attr('content-type.charset') // '-' : '-';
	printf "%d %d %s %s %s\n", scalar @leaves, scalar @all, $first ? $first->mime_type : '-', $charset,
		$first ? sha256_hex($first->bodyhandle->as_string) : '-';
}
