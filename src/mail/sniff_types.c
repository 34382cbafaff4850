/*
 * sniff_types.c: the kinds of files: word, text for people, extensions that such a file may have, what policies ask.
 *
 * Extensions are generous where programs are: Excel opens a page that is called .xls. What is never generous is a
 * program.
 */
#include <sekisho/sniff.h>

#include <string.h>

#include <sekisho/i18n.h>

#define TEXT SNIFF_IS_TEXT
#define OFFICE SNIFF_IS_OFFICE
#define MACRO SNIFF_IS_MACRO
#define MEDIA SNIFF_IS_MEDIA
#define ARCHIVE SNIFF_IS_ARCHIVE
#define PROGRAM SNIFF_IS_PROGRAM
#define ENCRYPTED SNIFF_IS_ENCRYPTED

static const struct sniff_type types[SNIFF_KINDS] = {
	[SNIFF_EMPTY] = {"empty", N_("empty file"), "", 0},
	[SNIFF_DATA] = {"data", N_("data of an unknown kind"), "bin dat xdw xbd sfc p21 bfo dwg jww jwc dxf dbf", 0},
	[SNIFF_TEXT] = {"text", N_("text"),
		"txt csv tsv log md ini conf cfg json yaml yml asc sql tex diff patch sfc p21 dxf c h", TEXT},
	[SNIFF_HTML] = {"html", N_("web page (HTML)"), "html htm xhtml shtml xls doc", TEXT},
	[SNIFF_XML] = {"xml", N_("XML"), "xml xsl xslt xsd xhtml rdf rss gml kml xls doc xdp", TEXT},
	[SNIFF_SVG] = {"svg", N_("SVG picture"), "svg xml", TEXT | MEDIA},
	[SNIFF_RTF] = {"rtf", N_("RTF document"), "rtf doc", OFFICE},
	[SNIFF_CALENDAR] = {"calendar", N_("calendar entry"), "ics ical ifb vcs", TEXT},
	[SNIFF_VCARD] = {"vcard", N_("visiting card (vCard)"), "vcf vcard", TEXT},
	[SNIFF_MAIL] = {"mail", N_("mail"), "eml mht mhtml mbox mim", TEXT},
	[SNIFF_UUENCODE] = {"uuencode", N_("uuencoded file"), "uu uue", TEXT | ARCHIVE},
	[SNIFF_POSTSCRIPT] = {"postscript", N_("PostScript"), "ps eps ai prn", OFFICE},
	[SNIFF_PDF] = {"pdf", N_("PDF document"), "pdf ai fdf", OFFICE},
	[SNIFF_OOXML] = {"ooxml", N_("Office document"),
		"docx xlsx pptx docm xlsm pptm xlsb dotx xltx potx ppsx", OFFICE},
	[SNIFF_DOCX] = {"docx", N_("Word document"), "docx dotx", OFFICE},
	[SNIFF_XLSX] = {"xlsx", N_("Excel workbook"), "xlsx xltx", OFFICE},
	[SNIFF_PPTX] = {"pptx", N_("PowerPoint presentation"), "pptx potx ppsx thmx", OFFICE},
	[SNIFF_DOCM] = {"docm", N_("Word document with macros"), "docm dotm", OFFICE | MACRO},
	[SNIFF_XLSM] = {"xlsm", N_("Excel workbook with macros"), "xlsm xltm xlam xlsb", OFFICE | MACRO},
	[SNIFF_PPTM] = {"pptm", N_("PowerPoint presentation with macros"), "pptm potm ppsm ppam", OFFICE | MACRO},
	[SNIFF_XLSB] = {"xlsb", N_("Excel workbook (binary)"), "xlsb", OFFICE},
	[SNIFF_OPENDOCUMENT] = {"opendocument", N_("OpenDocument"), "odt ods odp odg odf ott ots otp odb", OFFICE},
	[SNIFF_EPUB] = {"epub", N_("electronic book (EPUB)"), "epub", OFFICE},
	[SNIFF_XPS] = {"xps", N_("XPS document"), "xps oxps", OFFICE},
	[SNIFF_VISIO] = {"visio", N_("Visio drawing"), "vsdx vstx vsdm vssx", OFFICE},
	[SNIFF_DOC] = {"doc", N_("Word document (97-2003)"), "doc dot wbk", OFFICE},
	[SNIFF_XLS] = {"xls", N_("Excel workbook (97-2003)"), "xls xlt xla", OFFICE},
	[SNIFF_PPT] = {"ppt", N_("PowerPoint presentation (97-2003)"), "ppt pps pot", OFFICE},
	[SNIFF_OFFICE_ENCRYPTED] = {"office-encrypted", N_("Office document with a password"),
		"docx xlsx pptx docm xlsm pptm xlsb dotx xltx potx ppsx doc xls ppt", OFFICE | ENCRYPTED},
	[SNIFF_ICHITARO] = {"ichitaro", N_("Ichitaro document"), "jtd jtt jtdc jttc jfw jvw", OFFICE},
	[SNIFF_OUTLOOK] = {"outlook", N_("Outlook message"), "msg oft", OFFICE | ARCHIVE},
	[SNIFF_COMPOUND] = {"compound", N_("compound file (OLE)"), "pub vsd mpp wps db sha jhd jsd", OFFICE},
	[SNIFF_DATABASE] = {"database", N_("database"), "mdb accdb db sqlite sqlite3 mde accde", OFFICE | MACRO},
	[SNIFF_TNEF] = {"tnef", N_("Outlook package (winmail.dat)"), "dat tnef", ARCHIVE},
	[SNIFF_JPEG] = {"jpeg", N_("JPEG picture"), "jpg jpeg jpe jfif", MEDIA},
	[SNIFF_PNG] = {"png", N_("PNG picture"), "png", MEDIA},
	[SNIFF_GIF] = {"gif", N_("GIF picture"), "gif", MEDIA},
	[SNIFF_BMP] = {"bmp", N_("BMP picture"), "bmp dib", MEDIA},
	[SNIFF_TIFF] = {"tiff", N_("TIFF picture"), "tif tiff dng nef cr2 arw", MEDIA},
	[SNIFF_WEBP] = {"webp", N_("WebP picture"), "webp", MEDIA},
	[SNIFF_HEIF] = {"heif", N_("HEIF picture"), "heic heif hif avif", MEDIA},
	[SNIFF_ICON] = {"icon", N_("icon"), "ico cur", MEDIA},
	[SNIFF_METAFILE] = {"metafile", N_("Windows metafile"), "wmf emf apm", MEDIA},
	[SNIFF_PHOTOSHOP] = {"photoshop", N_("Photoshop picture"), "psd psb", MEDIA},
	[SNIFF_MEDIA] = {"media", N_("sound or film"),
		"mp3 mp4 m4a m4v mov 3gp wav avi wmv wma asf ogg oga ogv flac mid mkv webm mpg mpeg mpa", MEDIA},
	[SNIFF_ZIP] = {"zip", N_("ZIP archive"), "zip kmz", ARCHIVE},
	[SNIFF_7Z] = {"7z", N_("7-Zip archive"), "7z", ARCHIVE},
	[SNIFF_RAR] = {"rar", N_("RAR archive"), "rar", ARCHIVE},
	[SNIFF_CAB] = {"cab", N_("cabinet archive (CAB)"), "cab", ARCHIVE},
	[SNIFF_GZIP] = {"gzip", N_("gzip archive"), "gz tgz emz svgz wmz", ARCHIVE},
	[SNIFF_BZIP2] = {"bzip2", N_("bzip2 archive"), "bz2 tbz tbz2", ARCHIVE},
	[SNIFF_XZ] = {"xz", N_("xz archive"), "xz txz", ARCHIVE},
	[SNIFF_ZSTD] = {"zstd", N_("zstd archive"), "zst", ARCHIVE},
	[SNIFF_COMPRESS] = {"compress", N_("compress archive"), "z", ARCHIVE},
	[SNIFF_LZH] = {"lzh", N_("LZH archive"), "lzh lha", ARCHIVE},
	[SNIFF_ARJ] = {"arj", N_("ARJ archive"), "arj", ARCHIVE},
	[SNIFF_ACE] = {"ace", N_("ACE archive"), "ace", ARCHIVE},
	[SNIFF_TAR] = {"tar", N_("tar archive"), "tar", ARCHIVE},
	[SNIFF_AR] = {"ar", N_("ar archive"), "a lib deb", ARCHIVE},
	[SNIFF_CPIO] = {"cpio", N_("cpio archive"), "cpio", ARCHIVE},
	[SNIFF_ISO] = {"iso", N_("disc image (ISO 9660)"), "iso img", ARCHIVE},
	[SNIFF_DISK] = {"disk", N_("disk image"), "vhd vhdx vmdk qcow2 wim", ARCHIVE},
	[SNIFF_EXE] = {"exe", N_("Windows program"), "exe dll scr com cpl ocx sys drv xll wll ax efi", PROGRAM},
	[SNIFF_ELF] = {"elf", N_("Linux program"), "so elf o", PROGRAM},
	[SNIFF_MACHO] = {"macho", N_("macOS program"), "dylib bundle", PROGRAM},
	[SNIFF_CLASS] = {"class", N_("Java class"), "class", PROGRAM},
	[SNIFF_JAR] = {"jar", N_("Java program"), "jar war ear", PROGRAM | ARCHIVE},
	[SNIFF_APK] = {"apk", N_("Android program"), "apk aab", PROGRAM | ARCHIVE},
	[SNIFF_MSI] = {"msi", N_("Windows installer"), "msi msp mst", PROGRAM},
	[SNIFF_SCRIPT] = {"script", N_("script"), "sh bash py pl rb bat cmd wsf wsc sct", TEXT | PROGRAM},
	[SNIFF_SHORTCUT] = {"shortcut", N_("shortcut"), "lnk url", PROGRAM},
	[SNIFF_HELP] = {"help", N_("compiled help (CHM)"), "chm", PROGRAM},
	[SNIFF_ONENOTE] = {"onenote", N_("OneNote section"), "one onetoc2 onepkg", OFFICE | PROGRAM},
	[SNIFF_FLASH] = {"flash", N_("Flash program"), "swf", PROGRAM},
	[SNIFF_PKCS7] = {"pkcs7", N_("S/MIME: encrypted"), "p7m p7z", ENCRYPTED},
	[SNIFF_SIGNATURE] = {"signature", N_("signature (S/MIME or OpenPGP)"),
		"p7s p7m p7c p7b asc sig sign pgp gpg", 0},
	[SNIFF_CERTIFICATE] = {"certificate", N_("certificate or key"), "cer crt der pem p12 pfx key", 0},
	[SNIFF_PGP] = {"pgp", N_("OpenPGP: encrypted"), "pgp gpg asc", ENCRYPTED},
	[SNIFF_PGP_KEY] = {"pgp-key", N_("OpenPGP key"), "asc pgp gpg key", 0},
};

const struct sniff_type *sniff_type(enum sniff_kind kind)
{
	return &types[(unsigned)kind < SNIFF_KINDS ? kind : SNIFF_DATA];
}

enum sniff_kind sniff_find(const char *word)
{
	unsigned kind = 0;

	while (kind < SNIFF_KINDS && strcmp(types[kind].word, word) != 0)
		kind++;
	return (enum sniff_kind)kind;
}
