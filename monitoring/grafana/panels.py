"""Panels, rows and variables of Grafana dashboards as JSON: what the tables of pages_*.py are made of.

In expressions, `@` stands for the run that the variables choose, `@r` for its chosen ranks too, in braces with further labels:
`effuse_train_loss{@}`, `up{@r}`. Each function of a panel takes the width in the 24 columns of a row first; its height is the row's.
"""

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
RUN = 'job=~"$job", run=~"$run"'
RANKS = RUN + ', rank=~"$rank"'
PLUGIN_VERSION = "9.5.0"  # whose panels these are: later ones migrate them
GREEN, YELLOW, RED, BLUE, GREY = "green", "yellow", "red", "blue", "text"
STATES = {0: ("trains", GREEN), 1: ("no step yet", BLUE), 2: ("stands still", "orange"),
          3: ("loss not finite", RED), 4: ("gone", "dark-red"), 5: ("evaluates", BLUE)}


def expand(expression):
    return expression.replace("@r", RANKS).replace("@", RUN)


def steps(base, *above):
    """Thresholds: a colour, and (value, colour) from which on others hold."""
    return {"mode": "absolute", "steps": [{"color": base, "value": None},
                                          *({"color": color, "value": value} for value, color in above)]}


def mappings(texts):
    """{value: (text, colour)}"""
    return [{"type": "value", "options": {str(value): {"index": i, "text": text, "color": color}
                                          for i, (value, (text, color)) in enumerate(texts.items())}}]


def targets(queries, **options):
    """`queries`: an expression, or (expression, legend)s."""
    if isinstance(queries, str):
        queries = [(queries, "")]
    return [{"refId": chr(ord("A") + i), "datasource": DATASOURCE, "expr": expand(expression),
             **({"legendFormat": legend} if legend else {}), **options}
            for i, (expression, legend) in enumerate(queries)]


def panel(kind, width, title, queries, unit, description, defaults, options, overrides=(), to=None):
    made = {"type": kind, "title": title, "description": description, "width": width, "datasource": DATASOURCE,
            "pluginVersion": PLUGIN_VERSION, "targets": queries,
            "fieldConfig": {"defaults": {"unit": unit, **defaults}, "overrides": list(overrides)}, "options": options}
    if to:
        made["links"] = [{"title": "Look closer", "url": dashboard_url(to)}]
    return made


def dashboard_url(uid, run="${run:queryparam}", job="${job:queryparam}"):
    return f"/d/{uid}?${{datasource:queryparam}}&{job}&{run}&${{__url_time_range}}"


def last(values=False):
    return {"calcs": ["lastNotNull"], "fields": "", "values": values}


def stat(width, title, query, unit, description, colors=None, texts=None, decimals=None, to=None, trend=False):
    """One number, as of the end of the chosen time; with `trend` the last one within it, and its course behind it."""
    defaults = {"color": {"mode": "thresholds"}, "thresholds": colors or steps(GREY), "mappings": mappings(texts or {})}
    if decimals is not None:
        defaults["decimals"] = decimals
    options = {"reduceOptions": last(), "colorMode": "background" if texts else "value", "textMode": "value",
               "graphMode": "area" if trend else "none", "justifyMode": "auto", "orientation": "auto"}
    query = targets(query, **({"range": True} if trend else {"instant": True, "range": False}))
    return panel("stat", width, title, query, unit, description, defaults, options, to=to)


def graph(width, title, queries, unit, description, stack=False, log=False, low=None, high=None, colors=None, points=False,
          legend=None):
    """Lines over time; areas upon one another with `stack`. `colors` draws its thresholds as lines."""
    custom = {"drawStyle": "line", "lineWidth": 1, "fillOpacity": 40 if stack else 5, "spanNulls": False,
              "showPoints": "always" if points else "auto", "pointSize": 6 if points else 4,
              "stacking": {"mode": "normal" if stack else "none", "group": "A"},
              "scaleDistribution": {"type": "log", "log": 10} if log else {"type": "linear"},
              "thresholdsStyle": {"mode": "dashed" if colors else "off"}}
    defaults = {"color": {"mode": "palette-classic"}, "custom": custom, "thresholds": colors or steps(GREEN)}
    if low is not None:
        defaults["min"] = low
    if high is not None:
        defaults["max"] = high
    options = {"legend": {"displayMode": "table" if legend else "list", "placement": legend or "bottom", "showLegend": True,
                          "calcs": ["lastNotNull", "mean"] if legend else []},
               "tooltip": {"mode": "multi", "sort": "desc"}}
    return panel("timeseries", width, title, targets(queries), unit, description, defaults, options)


def bars(width, title, query, legend, unit, description):
    """A bar for each label value, as of the end of the chosen time."""
    defaults = {"color": {"mode": "continuous-BlYlRd"}, "thresholds": steps(GREEN), "min": 0}
    options = {"displayMode": "gradient", "orientation": "horizontal", "showUnfilled": True, "reduceOptions": last()}
    return panel("bargauge", width, title, targets([(query, legend)], instant=True, range=False), unit, description,
                 defaults, options)


def heatmap(width, title, query, unit, description):
    """Of the buckets of a histogram, by `le`."""
    options = {"calculate": False, "cellGap": 1, "cellValues": {}, "filterValues": {"le": 1e-9}, "legend": {"show": True},
               "color": {"mode": "scheme", "scheme": "Oranges", "steps": 64, "scale": "exponential", "exponent": 0.5,
                         "fill": "dark-orange", "reverse": False},
               "exemplars": {"color": "rgba(255,0,255,0.7)"}, "rowsFrame": {"layout": "auto"},
               "tooltip": {"show": True, "yHistogram": False},
               "yAxis": {"axisPlacement": "left", "reverse": False, "unit": unit}}
    return panel("heatmap", width, title, targets([(query, "{{le}}")], format="heatmap"), unit, description, {}, options)


def column(title, query, unit="none", colors=None, texts=None, gauge=False, decimals=None):
    """Of a table: a number for each of its rows."""
    return {"title": title, "query": query, "unit": unit, "colors": colors, "texts": texts, "gauge": gauge,
            "decimals": decimals}


def override(name, **properties):
    return {"matcher": {"id": "byName", "options": name},
            "properties": [{"id": key.replace("__", "."), "value": value} for key, value in properties.items()
                           if value is not None]}


def look_of(of):
    """How the cells of a column look."""
    properties = {"unit": of["unit"], "decimals": of["decimals"]}
    if of["colors"] or of["texts"]:
        properties |= {"thresholds": of["colors"], "mappings": mappings(of["texts"] or {}),
                       "custom__displayMode": "color-background" if of["texts"] else "color-text"}
    if of["gauge"]:
        properties |= {"custom__displayMode": "gradient-gauge", "min": 0, "max": 1}
    return override(of["title"], **properties)


def table(width, title, labels, columns, description, link=None):
    """A row for each combination of `labels` (label: heading), joined over the queries of `columns`. `link`: (heading, uid), to the
    dashboard of the row's run."""
    queries = targets([(of["query"], "") for of in columns], format="table", instant=True, range=False)
    names = ["Value"] if len(columns) == 1 else [f"Value #{query['refId']}" for query in queries]
    order = [*labels, *names]
    organize = {"excludeByName": {"Time": True, **{label: True for label in ("job", "run") if label not in labels}},
                "indexByName": {name: i for i, name in enumerate(order)},
                "renameByName": {**labels, **{name: of["title"] for name, of in zip(names, columns)}}}
    overrides = [look_of(of) for of in columns]
    if link:
        url = dashboard_url(link[1], run="var-run=${__data.fields." + labels["run"] + "}")
        overrides.append(override(link[0], links=[{"title": "Look closer", "url": url}]))
    defaults = {"color": {"mode": "thresholds"}, "thresholds": steps(GREY),
                "custom": {"align": "auto", "displayMode": "auto", "filterable": True}}
    made = panel("table", width, title, queries, "none", description, defaults,
                 {"showHeader": True, "footer": {"show": False}}, overrides)
    made["transformations"] = [{"id": "merge", "options": {}}, {"id": "organize", "options": organize}]
    return made


def alerts(width, selector='run=~"$run"'):
    """Alerts that fire."""
    query = f'max by (alertname, severity, job, run, rank, of_rank) (ALERTS{{alertname=~"Effuse.+", alertstate="firing", {selector}}})'
    labels = {"alertname": "Alert", "severity": "Severity", "run": "Run", "rank": "Rank", "of_rank": "Slow rank"}
    fires = column("Fires", query, texts={1: ("now", RED)})
    return table(width, "Alerts", labels, [fires], "Alerts that fire at the end of the chosen time. monitoring/README.md says what each "
                 "means and what to do; Prometheus' page of alerts has the whole text. Empty: all is well.")


def variable(name, label, query, several=False, hidden=False):
    """Values of a label; `several` at once, or all of them."""
    return {"type": "query", "name": name, "label": label, "datasource": DATASOURCE, "definition": query,
            "query": {"query": query, "refId": f"variable-{name}"}, "refresh": 2, "sort": 3 if name == "rank" else 1,
            "hide": 2 if hidden else 0, "regex": "", "skipUrlSync": False, "options": [], "current": {},
            "multi": several, "includeAll": several, **({"allValue": ".+"} if several else {})}


def datasource_variable():
    return {"type": "datasource", "name": "datasource", "label": "Prometheus", "query": "prometheus", "regex": "", "refresh": 1,
            "hide": 0, "multi": False, "includeAll": False, "skipUrlSync": False, "options": [], "current": {}}


def annotation(name, query, color, text, enabled=True):
    """A mark at each time that is a value of `query`, in seconds."""
    return {"name": name, "datasource": DATASOURCE, "enable": enabled, "hide": False, "iconColor": color,
            "expr": f"round({expand(query)}) * 1000", "useValueForTime": True, "step": "$__interval", "titleFormat": text,
            "textFormat": "", "tagKeys": "run"}


def lay_out(rows):
    """Panels of (title, height, panels) in the grid, from left to right and top to bottom, with their numbers."""
    placed, y = [], 0
    for title, height, panels in rows:
        placed.append({"type": "row", "title": title, "collapsed": False, "panels": [],
                       "gridPos": {"x": 0, "y": y, "w": 24, "h": 1}})
        x, y = 0, y + 1
        for one in panels:
            width = one.pop("width")
            if x + width > 24:
                x, y = 0, y + height
            placed.append({**one, "gridPos": {"x": x, "y": y, "w": width, "h": height}})
            x += width
        y += height
    return [{"id": i + 1, **one} for i, one in enumerate(placed)]


def dashboard(uid, title, description, variables, annotations, rows, hours=6):
    return {
        "uid": uid, "id": None, "title": title, "description": description, "tags": ["effuse"],
        "schemaVersion": 37, "version": 1, "editable": True, "graphTooltip": 1, "timezone": "", "refresh": "30s",
        "time": {"from": f"now-{hours}h", "to": "now"}, "timepicker": {}, "weekStart": "", "liveNow": False, "style": "dark",
        "links": [{"type": "dashboards", "tags": ["effuse"], "title": "Effuse", "asDropdown": False, "keepTime": True,
                   "includeVars": True, "targetBlank": False, "icon": "external link", "tooltip": "", "url": ""}],
        "templating": {"list": [datasource_variable(), *variables]},
        "annotations": {"list": list(annotations)},
        "panels": lay_out(rows),
    }
