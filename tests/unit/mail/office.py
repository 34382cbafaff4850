"""office.py: small documents of Office, written by hand, for the tests of attachments."""
import io
import zipfile

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
A = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
P = 'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"'
S = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
TYPES = HEAD + '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'


def archive(entries, method=zipfile.ZIP_DEFLATED, streamed=False):
    """entries: [(name, bytes or str)]. streamed: lengths stand behind the data."""
    out = io.BytesIO()

    class Pipe(io.RawIOBase):
        def writable(self):
            return True

        def write(self, data):
            return out.write(data)

    with zipfile.ZipFile(Pipe() if streamed else out, "w", method) as z:
        for name, data in entries:
            z.writestr(zipfile.ZipInfo(name, (2026, 11, 20, 10, 0, 0)), data, method)
    return out.getvalue()


def docx(body, more=(), **options):
    entries = [("[Content_Types].xml", TYPES), ("_rels/.rels", HEAD + "<Relationships/>"),
               ("word/document.xml", f"{HEAD}<w:document {W} {A}><w:body>{body}</w:body></w:document>")]
    return archive(entries + list(more), **options)


def paragraph(text):
    return f"<w:p><w:pPr><w:tabs><w:tab w:val='left'/></w:tabs></w:pPr><w:r><w:t xml:space=\"preserve\">{text}</w:t></w:r></w:p>"


def table(rows):
    cells = lambda row: "".join(f"<w:tc><w:tcPr/>{paragraph(c)}</w:tc>" for c in row)
    return "<w:tbl>" + "".join(f"<w:tr>{cells(row)}</w:tr>" for row in rows) + "</w:tbl>"


def xlsx(sheets, strings=None, names=None, strings_first=False, more=(), **options):
    """sheets: XML of <sheetData>'s content, one each; strings: XML of the <si> elements' content."""
    names = names or [f"Sheet{i + 1}" for i in range(len(sheets))]
    book = "".join(f'<sheet name="{n}" sheetId="{i + 1}" r:id="rId{i + 1}"/>' for i, n in enumerate(names))
    parts = [(f"xl/worksheets/sheet{i + 1}.xml", f"{HEAD}<worksheet {S}><sheetData>{x}</sheetData></worksheet>")
             for i, x in enumerate(sheets)]
    texts = []
    if strings is not None:
        texts = [("xl/sharedStrings.xml", f"{HEAD}<sst {S}>" + "".join(f"<si>{s}</si>" for s in strings) + "</sst>")]
    entries = [("[Content_Types].xml", TYPES), ("xl/workbook.xml", f"{HEAD}<workbook {S}><sheets>{book}</sheets></workbook>"),
               ("xl/worksheets/_rels/sheet1.xml.rels", HEAD + "<Relationships/>")]
    return archive(entries + (texts + parts if strings_first else parts + texts) + list(more), **options)


def pptx(slides, notes=(), **options):
    def part(text):
        return f"{HEAD}<p:sld {P} {A}><p:cSld><p:spTree><p:sp><p:txBody>{text}</p:txBody></p:sp></p:spTree></p:cSld></p:sld>"
    entries = [("[Content_Types].xml", TYPES), ("ppt/presentation.xml", HEAD + "<p:presentation/>")]
    entries += [(f"ppt/slides/slide{i + 1}.xml", part(s)) for i, s in enumerate(slides)]
    entries += [(f"ppt/notesSlides/notesSlide{i + 1}.xml", part(s)) for i, s in enumerate(notes)]
    return archive(entries, **options)
