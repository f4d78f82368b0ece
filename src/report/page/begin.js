"use strict";
// What all scripts of the page share: the data, and making elements. Text from a run only ever becomes text.

const data = JSON.parse(document.getElementById("data").textContent);
const runs = data.runs;
const isComparison = runs.length > 1;

const byId = (id) => document.getElementById(id);

/** An element with attributes and children; texts become text nodes. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "style") Object.assign(element.style, value);
    else if (name === "class") element.className = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** Fills a table. Columns: {title, number} ; rows: arrays of texts or elements. */
function fillTable(table, columns, rows) {
  const cell = (content, column, tag) =>
    make(tag, { class: column.number ? "number" : null, scope: tag === "th" ? "col" : null }, content);
  table.replaceChildren(
    make("thead", {}, make("tr", {}, ...columns.map((column) => cell(column.title, column, "th")))),
    make("tbody", {}, ...rows.map((row) => make("tr", {}, ...row.map((content, i) => cell(content, columns[i], "td"))))));
}

function show(id) {
  byId(id).hidden = false;
  return byId(id);
}

function lastOf(list) {
  return list[list.length - 1];
}
