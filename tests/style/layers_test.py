"""The layer rule: every #include "x/…" under src/ is one that cmake/layers.cmake allows, levels only go
down, and third-party headers stay in the libraries that own them."""

import os
import pathlib
import re

SOURCE = pathlib.Path(os.environ["EFFUSE_SOURCE"])

# A pattern of included headers, and where alone it may stand.
OWNERS = {
    r"<(mpi|nccl)\.h>": r"src/comm/[^/]*\.cpp",
    r"<(H5|hdf5)[^>]*>": r"src/hdf5/.*",
    r"<(toml\+\+|CLI)/[^>]*>": r"src/config/[^/]*\.cpp",
    r"<boost/log/[^>]*>": r"src/core/log\.cpp",
    r"<prometheus/[^>]*>": r"src/metrics/[^/]*\.cpp",
    r"<simdjson\.h>": r"src/report/[^/]*\.cpp",
    r"<(png|turbojpeg|zimg)\.h>|<libexif/[^>]*>": r"src/image/[^/]*\.cpp",
    r"<(torch|ATen|c10)/[^>]*>": r"(src/(comm|kernels|models|diffusion|data|checkpoint|training|generation|exchange|evaluation|preflight|app)|tests|jobs)/.*",
}


def layers():
    text = (SOURCE / "cmake/layers.cmake").read_text()
    found = {}
    for name, level, links in re.findall(r"^effuse_layer\((\w+)\s+(\d+)([^)]*)\)", text, re.M):
        found[name] = (int(level), set(links.split()))
    assert len(found) > 10
    return found


def sources():
    return [p for folder in ("src", "jobs", "data_tools", "tests") for p in (SOURCE / folder).rglob("*")
            if p.suffix in (".cpp", ".hpp", ".cu", ".cuh")]


def test_libraries_link_only_downwards():
    table = layers()
    for name, (level, links) in table.items():
        for link in links:
            assert table[link][0] <= level, f"{name} (level {level}) links {link} above it"


def test_every_folder_is_a_layer():
    folders = {p.name for p in (SOURCE / "src").iterdir() if p.is_dir()}
    assert folders == set(layers())


def test_includes_follow_the_layers():
    table = layers()
    wrong = []
    for path in sources():
        relative = path.relative_to(SOURCE)
        if relative.parts[0] != "src":
            continue
        library = relative.parts[1]
        for included in re.findall(r'^#include "(\w+)/', path.read_text(), re.M):
            if included != library and included not in table[library][1]:
                wrong.append(f"{relative} includes {included}/, which {library} may not know")
    assert not wrong, "\n".join(wrong)


def test_third_party_headers_stay_with_their_owner():
    wrong = []
    for path in sources():
        relative = str(path.relative_to(SOURCE))
        for included in re.findall(r"^#include (<[^>]+>)", path.read_text(), re.M):
            for pattern, owner in OWNERS.items():
                allowed = re.fullmatch(owner, relative) or relative.startswith("tests/")
                if re.fullmatch(pattern, included) and not allowed:
                    wrong.append(f"{relative} includes {included}")
    assert not wrong, "\n".join(wrong)


def test_file_sizes():
    """Files up to 400 lines, mains up to 80."""
    wrong = []
    for path in sources():
        relative = path.relative_to(SOURCE)
        limit = 80 if relative.parts[0] in ("jobs", "data_tools") else 400
        lines = len(path.read_text().splitlines())
        if lines > limit:
            wrong.append(f"{relative}: {lines} lines (at most {limit})")
    assert not wrong, "\n".join(wrong)


def test_a_source_includes_its_own_header_first():
    """So that compiling it shows that the header is complete in itself."""
    wrong = []
    for path in (SOURCE / "src").rglob("*.cpp"):
        header = path.with_suffix(".hpp")
        if header.exists():
            first = re.search(r"^#include (.*)", path.read_text(), re.M)
            if first.group(1) != f'"{path.parent.name}/{header.name}"':
                wrong.append(str(path.relative_to(SOURCE)))
    assert not wrong, "\n".join(wrong)
