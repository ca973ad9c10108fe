"""Documents, read by libraries that did not write them: qpdf (pikepdf), PDFium, lxml, Python's own reader of tables."""

import csv
import io
import json
import os
import re
import subprocess
import sys
from collections import Counter

import pikepdf
import pypdfium2
import pytest
from lxml import html as web

from fixtures.projects import make_project, project_json, write_json
from storycore.errors import Cancelled, DependencyFailed, InvalidInput, NotFound, Reason
from storycore.exports.documents import typesetting
from storycore.exports.export import export, wanted
from storycore.exports.formats import registry
from storycore.exports.formats.csv import COLUMNS, inert
from storycore.exports.formats.format import Film
from storycore.observe.progress import Progress
from storycore.project.files import walk
from storycore.project.reader import read_project
from storycore.rendering.encoder import Limits
from storycore.settings import Settings, user_folder
from storycore.units import MEBIBYTE

NOTES = "The keeper climbs the stairs, a lamp in her hand, and waits. " * 10
SCRIPTS = {
    "Arabic": "حارسة المنارة تصعد الدرج",
    "Chinese": "看守人提着灯慢慢爬上楼梯",
    "Japanese": "灯台守はランプを手に階段を上る",
    "Korean": "등대지기가 계단을 오른다",
    "Cyrillic": "Смотрительница поднимается по лестнице",
    "Devanagari": "रखवाली हाथ में दीपक लिए",
    "Latin": "Évreux, Łódź, ŵ, ß, Việt Nam",
}


@pytest.fixture(autouse=True)
def _one_cache(monkeypatch, tmp_path_factory):
    """Pictures are found again from one test to the next."""
    monkeypatch.setenv("STORYCORE_CACHE_FOLDER", str(tmp_path_factory.getbasetemp() / "cache-of-documents"))


def film_of(folder, **changes):
    """A small project, whose shots get more keys."""
    count = changes.pop("count", 3)
    make_project(folder, shots=count)
    project = project_json(shots=count)
    for number, shot in enumerate(project["shots"]):
        shot |= {name: value(number) if callable(value) else value for name, value in changes.items()}
    write_json(folder / "project.json", project)
    return read(folder)


def read(folder):
    settings = Settings.read()
    return Film(listing=walk(folder, max_files=1000), project=read_project(folder, settings), settings=settings)


def write(name, film, target, **options):
    found = registry.find(name)
    return found.write(film, target, found.options(**options), Progress())


def text_of(path):
    """What a reader of the pages reads, without breaks of lines and pages, and inside of words."""
    with pypdfium2.PdfDocument(path) as document:
        told = " ".join(page.get_textpage().get_text_bounded() for page in document)
    return re.sub(r"\s+", " ", told.replace("\u200b", "").replace("\ufffe", "").replace("\r\n", " "))


def bare(text):
    """A text without white space, for comparing what lines were broken in."""
    return re.sub(r"\s", "", text)


@pytest.mark.parametrize("document", ["storyboard", "shot_list", "report"])
@pytest.mark.parametrize("paper", ["a4", "letter"])
def test_documents_are_clean_tagged_and_say_what_they_conform_to(tmp_path, document, paper):
    made = write("pdf", film_of(tmp_path / "film"), tmp_path / "a.pdf", document=document, paper=paper)
    with pikepdf.open(tmp_path / "a.pdf") as pdf:
        assert pdf.check_pdf_syntax() == []
        with pdf.open_metadata() as xmp:
            assert (xmp["pdfaid:part"], xmp["pdfaid:conformance"], xmp["pdfuaid:part"]) == ("2", "A", "1")
        assert (bool(pdf.Root.MarkInfo.Marked), str(pdf.Root.Lang)) == (True, "en")
        assert bool(pdf.Root.ViewerPreferences.DisplayDocTitle)
        assert made.metrics["pages"] == len(pdf.pages)
        fonts = [
            it for it in pdf.objects if isinstance(it, pikepdf.Dictionary) and it.get("/Type") == "/FontDescriptor"
        ]
        assert fonts
        assert all("/FontFile2" in it or "/FontFile3" in it for it in fonts)
    told = {name: made.metrics[name]["verdict"] for name in ("conformance", "tagged", "fonts_embedded", "alt_text")}
    assert set(told.values()) == {"within target"}
    assert made.metrics["color_space"] == "RGB"


@pytest.mark.parametrize("layout", ["1x1", "2x1", "3x2", "4x4", "8x1", "1x8", "8x8"])
@pytest.mark.parametrize("orientation", ["landscape", "portrait"])
def test_no_word_is_lost_in_any_layout(tmp_path, layout, orientation):
    notes = lambda number: f"Beginning{number} {NOTES}End{number}"  # noqa: E731 - one for each shot
    film = film_of(tmp_path / "film", notes=notes, description="W" * 300, title="A title of a shot that goes on")
    write("pdf", film, tmp_path / "a.pdf", layout=layout, orientation=orientation)
    told = bare(text_of(tmp_path / "a.pdf"))
    for number in range(3):
        assert bare(notes(number)) in told
    assert told.count("W" * 300) == 3


@pytest.mark.parametrize("layout", ["1x1", "3x2", "8x8"])
def test_nothing_is_set_beyond_the_edges_of_the_page(tmp_path, layout):
    film = film_of(tmp_path / "film", notes=NOTES * 8, description="W" * 900, title="T" * 200)
    write("pdf", film, tmp_path / "a.pdf", layout=layout)
    with pypdfium2.PdfDocument(tmp_path / "a.pdf") as document:
        for page in document:
            width, height = page.get_size()
            text = page.get_textpage()
            boxes = [text.get_charbox(at) for at in range(text.count_chars())]
            assert all(
                left >= 0 and right <= width + 0.5 and low >= 0 and high <= height for left, low, right, high in boxes
            )


def test_panels_fill_pages_as_the_layout_says(tmp_path):
    film = film_of(tmp_path / "film", count=9)
    for layout, pages in (("3x3", 1), ("2x2", 3), ("1x1", 9), ("8x8", 1)):
        made = write("pdf", film, tmp_path / f"{layout}.pdf", layout=layout, cover=False, fields="number,duration")
        assert made.metrics["pages"] == pages


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("document", ["storyboard", "shot_list"])
def test_every_script_is_set_in_letters_of_its_own(tmp_path, script, document):
    words = SCRIPTS[script]
    made = write("pdf", film_of(tmp_path / "film", title=words, notes=words), tmp_path / "a.pdf", document=document)
    told = text_of(tmp_path / "a.pdf")
    # Letters that are joined or turned come back in the order in which they are drawn.
    assert Counter(bare(words)) - Counter(bare(told)) == Counter()
    assert script in ("Arabic", "Devanagari") or bare(words) in bare(told)
    assert "\ufffd" not in told
    assert made.warnings == ()


def test_letters_that_no_font_has_are_replaced_with_a_warning(tmp_path):
    odd = "\ue000 \U00013000 a\u0951\u0300 👩\u200d👩\u200d👧 ❤\ufe0f \u0378"
    made = write("pdf", film_of(tmp_path / "film", notes=odd), tmp_path / "a.pdf")
    assert [it.reason for it in made.warnings] == ["text_repaired"]
    assert "U+E000" in made.warnings[0].message
    assert made.metrics["conformance"]["verdict"] == "within target"


def test_scenes_and_shots_are_bookmarks_and_scenes_are_links(tmp_path):
    folder = tmp_path / "film"
    film_of(folder)
    project = project_json()
    project["scenes"] = [
        {"id": "a", "title": "Tower", "location": "Coast", "shot_ids": ["shot_01"]},
        {"id": "b", "title": "Harbour", "shot_ids": ["shot_02", "shot_03"]},
    ]
    write_json(folder / "project.json", project)
    made = write("pdf", read(folder), tmp_path / "a.pdf")
    with pikepdf.open(tmp_path / "a.pdf") as pdf, pdf.open_outline() as outline:
        film = outline.root[0]
        told = {scene.title: [shot.title for shot in scene.children] for scene in film.children}
        links = [it for page in pdf.pages for it in page.get("/Annots", []) if it.Subtype == "/Link"]
    assert told == {"Tower · Coast": ["1 \u00a0Shot 1"], "Harbour": ["2 \u00a0Shot 2", "3 \u00a0Shot 3"]}
    assert (made.metrics["bookmarks"]["value"], made.metrics["links"]["value"]) == (6, len(links))
    assert len(links) == 2


def test_pictures_are_reduced_to_what_paper_shows(tmp_path):
    from PIL import Image

    folder = tmp_path / "film"
    film_of(folder)
    for path in (folder / "assets/images/promoted").iterdir():
        Image.new("RGB", (1920, 1080), (200, 60, 20)).save(path)
    made = write("pdf", read(folder), tmp_path / "a.pdf", dpi=100, cover=False)
    assert 100 <= made.metrics["dpi"] <= 126
    with pikepdf.open(tmp_path / "a.pdf") as pdf:
        sizes = {(int(it.Width), int(it.Height)) for page in pdf.pages for it in page.get_images().values()}
    told = [(it["width"], it["height"]) for it in made.metrics["pictures"]["value"]]
    assert (sizes, len(told)) == (set(told), 3)
    assert all(wide * 9 == high * 16 for wide, high in sizes)


def test_a_picture_that_can_t_be_read_is_told_in_words(tmp_path):
    folder = tmp_path / "film"
    film_of(folder)
    (folder / "assets/images/promoted/panel_02_promoted.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    made = write("pdf", read(folder), tmp_path / "a.pdf", cover=False)
    assert (len(made.metrics["pictures"]["value"]), len(made.warnings)) == (2, 1)
    assert "No picture yet" in text_of(tmp_path / "a.pdf")


@pytest.mark.parametrize("document", ["storyboard", "shot_list", "report"])
def test_an_empty_project_has_a_cover_and_a_warning(tmp_path, document):
    write_json(tmp_path / "film/project.json", {"name": "test"})
    made = write("pdf", read(tmp_path / "film"), tmp_path / "a.pdf", document=document)
    assert made.metrics["pages"] == 1
    assert "test" in text_of(tmp_path / "a.pdf")
    assert [it.reason for it in made.warnings] == ["nothing_to_show"]
    assert made.metrics["dpi"] is None


def test_a_report_tells_of_files_that_were_made_before_it_in_the_same_run(tmp_path):
    film = film_of(tmp_path / "film")
    finished = export(film, wanted("json,csv,pdf", {"document": "report"}), tmp_path / "out", Progress())
    told = bare(text_of(finished[-1].path))
    for item in finished[:-1]:
        assert item.path.name.replace(" ", "") in told
        assert item.made.sha256 in told


def test_a_report_alone_tells_of_what_stands_in_exports(tmp_path):
    folder = tmp_path / "film"
    film_of(folder)
    (folder / "exports/one").mkdir(parents=True)
    (folder / "exports/one/sheet.png").write_bytes(
        (folder / "assets/images/promoted/panel_01_promoted.png").read_bytes()
    )
    (folder / "exports/.hidden.part").write_text("x")
    (folder / "exports/link").symlink_to("/etc/hosts")
    write("pdf", read(folder), tmp_path / "a.pdf", document="report")
    told = text_of(tmp_path / "a.pdf")
    assert "one/sheet.png" in told
    assert "64 × 36" in told
    assert "hidden" not in told
    assert "link" not in told


def test_a_typesetter_that_is_stopped_leaves_nothing(tmp_path):
    film = film_of(tmp_path / "film")
    progress = Progress(interval_seconds=0)

    def stop(report):
        if report.step == "typesetting":
            progress.cancel()

    progress = Progress(stop, interval_seconds=0)
    found = registry.find("pdf")
    with pytest.raises(Cancelled):
        found.write(film, tmp_path / "new/a.pdf", found.options(), progress)
    assert not (tmp_path / "new").exists()
    assert list((film.settings.cache_folder / "segments/work").iterdir()) == []


BREAKING = {
    "packages": ('#import "@preview/cetz:0.3.0"', "nothing is fetched"),
    "other files": ('#read("/etc/passwd")', "file not found"),
    "climbing": ('#read("../../../../../../etc/passwd")', "project root"),
    "syntax": ("#set text(fill: ", "unclosed delimiter"),
    "no end": ("#let f(n) = f(n + 1)\n#f(0)", "call depth"),
    "no title": ("= Words", "title"),
}


@pytest.mark.parametrize("case", BREAKING)
def test_a_template_that_fails_is_refused_with_what_is_wrong(tmp_path, case, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    film = film_of(tmp_path / "film")
    text, message = BREAKING[case]
    (tmp_path / "film/own.typ").write_text(text)
    with pytest.raises(InvalidInput, match=message) as fault:
        write("pdf", film, tmp_path / "new/a.pdf", template="own.typ")
    assert (fault.value.reason, (tmp_path / "new").exists()) == (Reason.TEMPLATE_INVALID, False)
    assert str(film.settings.cache_folder) not in json.dumps(fault.value.as_dict())


def test_a_template_of_one_s_own_is_used_from_the_project_and_from_the_user_s_folder(tmp_path):
    text = '#import "style.typ": *\n#show: document-of.with(data)\n= Mine\n#for it in data.panels [#it.title,]\n'
    film = film_of(tmp_path / "film")
    for place in (tmp_path / "film/own.typ", user_folder() / "templates/house.typ"):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    for number, name in enumerate(("own.typ", "house")):
        write("pdf", film, tmp_path / f"{number}.pdf", template=name)
        assert "Mine Shot 1,Shot 2,Shot 3," in text_of(tmp_path / f"{number}.pdf")


@pytest.mark.parametrize("option", ["template", "logo"])
@pytest.mark.parametrize("name", ["/etc/passwd", "../other.typ", "none.typ", "~/x.typ", "a\0b", "assets"])
def test_files_that_are_not_in_the_project_are_not_found(tmp_path, option, name):
    with pytest.raises(NotFound):
        write("pdf", film_of(tmp_path / "film"), tmp_path / "new/a.pdf", **{option: name})
    assert not (tmp_path / "new").exists()


def test_a_logo_of_any_shape_stands_on_every_page_and_another_file_is_no_logo(tmp_path):
    from PIL import Image

    film = film_of(tmp_path / "film")
    Image.new("RGBA", (3000, 20), (200, 90, 0, 120)).save(tmp_path / "film/logo.png")
    made = write("pdf", film, tmp_path / "a.pdf", logo="logo.png")
    assert len([it for it in made.metrics["pictures"]["value"] if it["width"] > 8 * it["height"]]) == 2
    with pytest.raises(InvalidInput) as fault:
        write("pdf", film, tmp_path / "b.pdf", logo="project.json")
    assert fault.value.reason is Reason.MEDIA_INVALID


HOSTILE = "<script>alert(1)</script><img src=x onerror=y>\"'&amp;\x07\u202e"


def test_a_page_holds_everything_in_itself_and_hostile_names_are_words(tmp_path):
    film = film_of(tmp_path / "film", title=HOSTILE, notes=HOSTILE, description=HOSTILE)
    made = write("html", film, tmp_path / "a.html")
    page = web.parse(str(tmp_path / "a.html")).getroot()
    assert made.metrics == {"shots": 3, "pictures": 3, "outside_references": 0, "scripts": 0}
    assert {it.tag for it in page.iter() if isinstance(it.tag, str)} <= {
        "html", "head", "meta", "title", "style", "body", "header", "h1", "p", "span", "main", "div", "article", "img",
        "h2", "b", "dl", "dt", "dd",
    }  # fmt: skip
    shown = HOSTILE.replace("\x07\u202e", " ")
    assert [it.text for it in page.iterfind(".//span[@class='title']")] == [shown] * 3
    policy = page.find(".//meta[@http-equiv='Content-Security-Policy']").get("content")
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert all(it.get("alt") and it.get("src").startswith("data:image/jpeg;base64,") for it in page.iter("img"))
    assert not [it for it in page.iter() if isinstance(it.tag, str) and it.get("style")]


def test_the_style_of_a_page_is_the_one_that_its_policy_allows(tmp_path):
    import base64
    import hashlib

    write("html", film_of(tmp_path / "film"), tmp_path / "a.html")
    text = (tmp_path / "a.html").read_text(encoding="utf-8")
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)[1]
    assert base64.b64encode(hashlib.sha256(style.encode()).digest()).decode() in text


def test_a_table_is_read_back_as_it_was_said(tmp_path):
    film = film_of(tmp_path / "film", notes='He says: "no", twice;\nthen goes.', title=SCRIPTS["Chinese"])
    made = write("csv", film, tmp_path / "a.csv")
    data = (tmp_path / "a.csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbfnumber,")
    assert data.replace(b"\r\n", b"").count(b"\r") == 0
    rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    assert tuple(rows[0]) == COLUMNS
    assert [(row["number"], row["notes"], row["title"]) for row in rows] == [
        (str(number), 'He says: "no", twice;\nthen goes.', SCRIPTS["Chinese"]) for number in (1, 2, 3)
    ]
    assert (made.metrics["shots"], made.metrics["columns"]) == (3, len(COLUMNS))


@pytest.mark.parametrize(
    "cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =HYPERLINK(1)", "\n=1", "＝1+1", "\x00=1", "=cmd|' /C calc'!A0"]
)
def test_no_cell_is_a_formula(cell):
    assert inert(cell)[0] == "'"
    assert inert("\u202eevil\u2066") == "evil"
    assert inert("Not - a = formula @ all") == "Not - a = formula @ all"


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.skipif(sys.platform == "win32", reason="peaks of processes are told by POSIX")
def test_a_hundred_pictures_of_1080p_need_little_memory(tmp_path):
    """Of the largest of all processes that take part: this one, painters, ffmpeg, the typesetter."""
    from PIL import Image

    folder = tmp_path / "film"
    film_of(folder, count=100)
    picture = Image.effect_noise((240, 135), 80).resize((1920, 1080)).convert("RGB")
    for number, path in enumerate(sorted((folder / "assets/images/promoted").iterdir())):
        picture.paste((number, 80, 120), (0, 0, 400, 400))
        picture.save(path, compress_level=1)
    code = (
        "import resource, sys; from pathlib import Path; from storycore import FormatRequest, StoryCore\n"
        "with StoryCore() as sc: r = sc.run(FormatRequest(project_path=sys.argv[1], target_format='pdf', "
        "output_path=sys.argv[2], conversion_options={'layout': sys.argv[3]}))\n"
        "peaks = [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]\n"
        "lines = Path('/proc/self/status').read_text().splitlines() if sys.platform == 'linux' else []\n"
        # There the peak of a process is at first that of the one that started it, which is the test's.
        "peaks[:1] = [int(line.split()[1]) for line in lines if line.startswith('VmHWM')] or peaks[:1]\n"
        "print(max(peaks))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, str(folder), str(tmp_path / "a.pdf"), "1x1"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    peak = int(ran.stdout) * (1 if sys.platform == "darwin" else 1024)
    assert peak <= 256 * 1024 * 1024


ENDLESS = {
    "time": "#let count(n) = range(n).fold(0, (a, b) => a + b)\n#range(100000).map(it => count(100000 + it))",
    "memory": '#let words = "x" * 64\n#let all = range(26).fold(words, (all, _) => all + all)\n#all.len()',
}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="limits of a child are held on Linux")
@pytest.mark.parametrize("case", ENDLESS)
def test_a_template_that_needs_too_much_is_ended(tmp_path, case, monkeypatch):
    limits = Limits(memory_bytes=1024 * MEBIBYTE, cpu_seconds=3, file_bytes=MEBIBYTE)
    monkeypatch.setattr(typesetting, "_FOREIGN", limits)
    film = film_of(tmp_path / "film")
    (tmp_path / "film/own.typ").write_text(ENDLESS[case])
    with pytest.raises(InvalidInput, match="more memory than it may have") as fault:
        write("pdf", film, tmp_path / "new/a.pdf", template="own.typ")
    assert (fault.value.reason, (tmp_path / "new").exists()) == (Reason.TEMPLATE_INVALID, False)


def test_without_the_typesetter_s_library_it_is_told_what_to_install(tmp_path, monkeypatch):
    (tmp_path / "typst.py").write_text("raise ImportError('gone')")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ["PYTHONPATH"]]))
    with pytest.raises(DependencyFailed) as fault:
        write("pdf", film_of(tmp_path / "film"), tmp_path / "new/a.pdf")
    assert (fault.value.reason, (tmp_path / "new").exists()) == (Reason.LIBRARY_MISSING, False)
