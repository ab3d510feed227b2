// SPDX-License-Identifier: GPL-3.0-or-later
// Sorting, filtering and opening rows. Without this script the page shows everything.
"use strict";
document.documentElement.classList.add("js");
document.addEventListener("DOMContentLoaded", () => {
  const element = (id) => document.getElementById(id);
  const PAGE = 100, LONGEST_LIMIT = 200, FIRST = element("rows").rows.length;
  const STATES = ["failed", "unknown", "waived", "passed"];
  const WORDS = ["Failed", "Unknown", "Waived", "Passed"];
  const make = (tag, text, className) => {
    const made = document.createElement(tag);
    if (text) made.textContent = text;
    if (className) made.className = className;
    return made;
  };
  const details = JSON.parse(element("details").textContent);
  const first = element("rows"), more = element("more"), form = element("filter");

  const rows = [...first.rows, ...more.rows].map((row, index) => {
    const cells = [...row.cells].map((cell) => cell.textContent.trim().toLowerCase());
    const name = row.cells[0].firstChild ? row.cells[0].firstChild.data : "";
    cells[1] = String(STATES.indexOf(row.className));
    return { row, index, name, state: row.className, cells, text: cells.join(" "),
             findings: details.organizations[index].map((number) => details.findings[number]) };
  });
  let sorted = rows, limit = FIRST, cause = null;

  function select() {
    const words = element("find").value.toLowerCase().split(/\s+/).filter(Boolean);
    const rule = element("rule").value;
    const states = new Set([...form.querySelectorAll("[name=state]:checked")].map((box) => box.value));
    return sorted.filter((one) => states.has(one.state)
      && words.every((word) => one.text.includes(word))
      && (rule === "" || one.findings.some((finding) => finding[0] === Number(rule) && finding[1] < 2))
      && (cause === null || one.findings.some((finding) => finding[2] === cause)));
  }

  function show() {
    const found = select();
    for (const open of document.querySelectorAll(".detail")) open.remove();
    const visible = found.slice(0, limit);
    visible.forEach(makeOpenable);
    first.replaceChildren(...visible.map((one) => one.row));
    more.replaceChildren(...found.slice(limit).map((one) => one.row));
    const number = (value) => value.toLocaleString("en-US");
    const all = found.length === rows.length;
    element("shown").textContent = found.length === 0 ? "No organization matches."
      : `${number(visible.length)} of ${number(found.length)}` + (all ? "" : ` that match, ${number(rows.length)} in all`);
    element("pager").hidden = found.length <= limit;
    const names = found.map((one) => one.name);
    const usable = !all && names.length > 0 && names.length <= LONGEST_LIMIT && names.every((name) => /^[\w.-]+$/.test(name));
    element("limit").hidden = !usable;
    element("limit-text").value = usable ? `--limit ${names.join(",")}` : "";
  }

  function makeOpenable(one) {
    const cell = one.row.cells[0];
    const button = cell.querySelector("button") || make("button", one.name);
    if (!button.isConnected && cell.firstChild !== button) cell.firstChild.replaceWith(button);
    button.type = "button";
    button.setAttribute("aria-expanded", "false");
    button.onclick = () => toggle(one, button);
  }

  function toggle(one, button) {
    const open = button.getAttribute("aria-expanded") === "true";
    button.setAttribute("aria-expanded", String(!open));
    if (open) {
      one.row.nextElementSibling.remove();
      return;
    }
    const list = make("ul");
    for (const [rule, state, , reason, advice, since, waiver] of one.findings) {
      const item = make("li");
      const said = make("div", reason);
      if (state !== 3 && advice) said.append(make("p", advice));
      if (waiver) said.append(make("p", waiver));
      const [id, title] = details.rules[rule];
      const label = make("span", id);
      label.title = title;
      item.className = STATES[state];
      item.append(make("span", WORDS[state], "s"), label, said, make("small", since ? `since ${since.slice(0, 10)}` : ""));
      list.append(item);
    }
    const cell = make("td");
    cell.colSpan = one.row.cells.length;
    cell.append(list);
    const row = make("tr", "", "detail");
    row.append(cell);
    one.row.after(row);
  }

  [...element("table").tHead.rows[0].cells].forEach((heading, column) => {
    const button = make("button", heading.textContent);
    button.type = "button";
    heading.replaceChildren(button);
    button.addEventListener("click", () => {
      const up = heading.getAttribute("aria-sort") !== "ascending";
      for (const other of heading.parentElement.cells) other.removeAttribute("aria-sort");
      heading.setAttribute("aria-sort", up ? "ascending" : "descending");
      const compare = new Intl.Collator("en", { numeric: true }).compare;
      // What is empty comes last, in either direction.
      sorted = [...rows].sort((one, other) => {
        const [a, b] = [one.cells[column], other.cells[column]];
        if (!a || !b) return Boolean(b) - Boolean(a) || one.index - other.index;
        return (up ? compare(a, b) : compare(b, a)) || one.index - other.index;
      });
      show();
    });
  });

  let pending = 0;
  element("find").addEventListener("input", () => {
    cancelAnimationFrame(pending);
    pending = requestAnimationFrame(() => { limit = FIRST; show(); });
  });
  for (const input of form.querySelectorAll("select, [type=checkbox]")) {
    input.addEventListener("change", () => { limit = FIRST; show(); });
  }
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(() => { cause = null; limit = FIRST; show(); }));
  element("next").addEventListener("click", () => { limit += PAGE; show(); });
  element("all").addEventListener("click", () => { limit = Infinity; show(); });
  element("limit-text").addEventListener("focus", (event) => event.target.select());
  for (const button of document.querySelectorAll(".only")) {
    button.addEventListener("click", () => {
      form.reset();
      cause = Number(button.closest(".cause").dataset.cause);
      limit = FIRST;
      setTimeout(() => {
        cause = Number(button.closest(".cause").dataset.cause);
        show();
        element("organizations").scrollIntoView();
        element("find").focus({ preventScroll: true });
      });
    });
  }
  // A closed one would be missing on paper.
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open])")];
    for (const one of closed) one.open = true;
  });
  addEventListener("afterprint", () => { for (const one of closed) one.open = false; });
  show();
});
