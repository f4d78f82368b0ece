"""A Prometheus on loopback, with the repository's rules and relabelling, in a hurry: it scrapes and evaluates every second."""

import json
import pathlib
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import yaml

from expressions import MONITORING, RULES

TIMEOUT_S = 60
INTERVAL = "1s"


def configuration(targets, nodes):
    """prometheus.yml, but for its intervals and its folders: `targets` and `nodes` are patterns of files."""
    made = yaml.safe_load((MONITORING / "prometheus/prometheus.yml").read_text())
    made["global"] = {key: INTERVAL for key in made["global"]}
    made["rule_files"] = [str(path) for path in RULES]
    files = {"targets/*.json": list(map(str, targets)), "nodes/*.json": list(map(str, nodes))}
    for job in made["scrape_configs"]:
        for discovery in job["file_sd_configs"]:
            discovery["files"] = [path for pattern in discovery["files"] for path in files[pattern]]
            discovery["refresh_interval"] = INTERVAL
    return made


class Prometheus:
    """Context: runs in `folder`, at a free port of its own choice."""

    def __init__(self, folder, targets, nodes=()):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True)
        path = self.folder / "prometheus.yml"
        path.write_text(yaml.safe_dump(configuration(targets, nodes)))
        self.process = subprocess.Popen(
            ["prometheus", f"--config.file={path}", f"--storage.tsdb.path={self.folder / 'data'}",
             "--web.listen-address=127.0.0.1:0", "--log.format=json"], stderr=subprocess.PIPE, text=True)
        self.log, self.address = [], None
        self.listens = threading.Event()
        self.reader = threading.Thread(target=self.read_log, daemon=True)
        self.reader.start()

    def read_log(self):
        """Of its two lines about listening the second has the port."""
        for line in self.process.stderr:
            self.log.append(line)
            said = json.loads(line) if line.startswith("{") else {}
            if said.get("msg") == "Listening on":
                self.address = said["address"]
                self.listens.set()
        self.listens.set()  # it has ended

    def __enter__(self):
        try:
            assert self.listens.wait(TIMEOUT_S) and self.address, "Prometheus does not listen:\n" + "".join(self.log)
            self.wait_until(self.is_ready)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(TIMEOUT_S)
        self.reader.join(TIMEOUT_S)
        self.process.stderr.close()

    def wait_until(self, condition, timeout_s=TIMEOUT_S):
        """Asks again, every time that it may have scraped anew."""
        deadline_s = time.monotonic() + timeout_s
        while time.monotonic() < deadline_s:
            if value := condition():
                return value
            assert self.process.poll() is None, "Prometheus ended:\n" + "".join(self.log)
            time.sleep(0.1)
        raise AssertionError("waited in vain for Prometheus:\n" + "".join(self.log[-20:]))

    def get(self, path, **arguments):
        url = f"http://{self.address}{path}?{urllib.parse.urlencode(arguments, doseq=True)}"
        try:
            with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def is_ready(self):
        return self.get("/-/ready")[0] == 200

    def data(self, path, **arguments):
        """Of an answer that must be a success."""
        _, text = self.get(path, **arguments)
        answer = json.loads(text)
        assert answer["status"] == "success", f"{arguments}: {answer.get('error', text)}"
        return answer["data"]

    def query(self, expression):
        """{labels: value} at this moment; labels as JSON."""
        found = self.data("/api/v1/query", query=expression)
        if found["resultType"] == "scalar":
            return {"": float(found["result"][1])}
        return {json.dumps(one["metric"], sort_keys=True): float(one["value"][1]) for one in found["result"]}

    def label_values(self, selector, label):
        return self.data(f"/api/v1/label/{label}/values", **{"match[]": selector})
