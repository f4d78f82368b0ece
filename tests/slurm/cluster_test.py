"""The cluster itself: two at a time do not meet, and leave nothing behind."""

import pathlib

from cluster import Cluster


def processes_naming(folder):
    """Command lines of processes, anywhere on this machine, that name the folder."""
    lines = []
    for file in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(file.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue  # it has just ended
    return [line for line in lines if str(folder) in line]


def test_two_at_a_time():
    links_before = pathlib.Path("/proc/net/dev").read_text().count("\n")
    with Cluster(nodes=2) as one, Cluster(nodes=3) as other:
        where = ("bash", "-c", "hostname; cat /etc/hosts | wc -l; ls $TMPDIR")
        assert one.run("srun", "-N2", "hostname").split() in (["n1", "n2"], ["n2", "n1"])
        assert sorted(other.run("srun", "-N3", "hostname").split()) == ["n1", "n2", "n3"]
        one.run("touch", f"{one.folder}/tmp/here", node="n1")
        assert one.run(*where, node="n1").split() == ["n1", "4", "here"]
        assert one.run(*where, node="n2").split() == ["n2", "4"]
        job = one.submit("--wrap", "sleep 1000", cwd=one.folder)
        one.wait_for_state(job, "RUNNING")
        assert other.run("squeue", "--noheader") == ""
        folders = (one.folder, other.folder)
        assert all(processes_naming(folder) for folder in folders)
    assert not any(folder.exists() for folder in folders)
    assert not any(processes_naming(folder) for folder in folders)
    assert pathlib.Path("/proc/net/dev").read_text().count("\n") == links_before
