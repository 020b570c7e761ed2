"use strict";
(() => {
  const root = document.documentElement;
  const main = document.getElementById("main");
  const embedded = (id) => JSON.parse(document.getElementById(id)?.textContent ?? "null");
  const page = { values: embedded("values"), details: embedded("details"), fetchRun: null };

  /* Elements get text only: the contents of records are never parsed as HTML. */
  const make = (name, attributes = {}, ...children) => fill(document.createElement(name), attributes, children);
  const draw = (name, attributes = {}, ...children) =>
    fill(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
  function fill(element, attributes, children) {
    for (const [key, value] of Object.entries(attributes)) {
      if (key === "onclick") element.addEventListener("click", value);
      else if (value !== null && value !== undefined && value !== false) element.setAttribute(key, value);
    }
    element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
    return element;
  }
  const icon = (symbol) => draw("svg", { class: "icon", "aria-hidden": "true" }, draw("use", { href: `#i-${symbol}` }));

  /* ---- Theme: the system's or the reader's choice, kept in localStorage where allowed. */
  const THEMES = ["system", "dark", "light"];
  const themeButton = document.querySelector("[data-theme-switch]");
  const memory = (() => { try { return window.localStorage; } catch { return null; } })();
  function setTheme(theme) {
    root.dataset.theme = theme;
    themeButton.querySelector("span").textContent = theme;
    try { memory?.setItem("theme", theme); } catch { /* may be blocked for file:// pages */ }
  }
  let stored = null;
  try { stored = memory?.getItem("theme"); } catch { /* as above */ }
  setTheme(THEMES.includes(stored) ? stored : "system");
  themeButton.addEventListener("click", () => setTheme(THEMES[(THEMES.indexOf(root.dataset.theme) + 1) % THEMES.length]));

  /* ---- Sorting: rows are sorted within their sections; a third click restores the paper's order. */
  const orders = new Map();
  const NEXT = { none: "ascending", ascending: "descending", descending: "none" };
  function makeSortable(table) {
    const rows = [...table.tBodies].filter((body) => body.classList.contains("row"));
    rows.forEach((row, index) => { row.place = index; row.keys = JSON.parse(row.dataset.keys); });
    if (rows.length < 2) return;
    for (const heading of table.querySelectorAll("thead th[data-sort]")) {
      const button = make("button", { type: "button", class: "sort", onclick: () => {
        const order = NEXT[heading.getAttribute("aria-sort") ?? "none"];
        orders.set(table.id, { column: Number(heading.dataset.sort), order });
        sort(table);
      } });
      button.append(...heading.childNodes);
      heading.append(button);
    }
    if (orders.has(table.id)) sort(table);
  }
  function sort(table) {
    const { column, order } = orders.get(table.id);
    for (const heading of table.querySelectorAll("thead th[data-sort]")) {
      if (order !== "none" && Number(heading.dataset.sort) === column) heading.setAttribute("aria-sort", order);
      else heading.removeAttribute("aria-sort");
    }
    const sign = order === "descending" ? -1 : 1;
    const compare = order === "none" ? (a, b) => a.place - b.place
      : (a, b) => byKey(a.keys[column], b.keys[column], sign) || a.place - b.place;
    let group = [];
    const settle = (next) => { for (const row of group.sort(compare)) table.insertBefore(row, next); group = []; };
    for (const body of [...table.tBodies]) {
      if (body.classList.contains("row")) group.push(body);
      else settle(body);
    }
    settle(null);
  }
  function byKey(a, b, sign) {
    if (a === null || b === null) return (a === null) - (b === null);
    if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
    return sign * (typeof a === "number" ? a - b : a.localeCompare(b));
  }

  /* ---- Filters: rows by verdict and text, claims by status. */
  const verdictFilter = document.querySelector("[data-filter-verdict]");
  const textFilter = document.querySelector("[data-filter-text]");
  const filterCount = document.querySelector("[data-filter-count]");
  const allRows = () => [...main.querySelectorAll("tbody.row")];
  function offerVerdicts() {
    const counts = new Map();
    for (const row of allRows()) for (const word of row.dataset.verdicts.split("|")) if (word) counts.set(word, (counts.get(word) ?? 0) + 1);
    const chosen = verdictFilter.value;
    verdictFilter.replaceChildren(make("option", { value: "" }, "all"),
      ...[...counts.keys()].sort().map((word) => make("option", { value: word }, `${word} (${counts.get(word)} rows)`)));
    verdictFilter.value = counts.has(chosen) ? chosen : "";
  }
  function filterRows() {
    const verdict = verdictFilter.value, text = textFilter.value.trim().toLocaleLowerCase();
    const on = verdict !== "" || text !== "";
    let shown = 0, total = 0;
    for (const exhibit of main.querySelectorAll(".part.exhibit")) {
      let inExhibit = 0;
      for (const table of exhibit.querySelectorAll("table.values")) {
        let heading = null, inSection = 0, inTable = 0;
        const settle = () => { if (heading) heading.hidden = on && inSection === 0; };
        for (const body of table.tBodies) {
          if (!body.classList.contains("row")) { settle(); heading = body; inSection = 0; continue; }
          body.words ??= body.textContent.toLocaleLowerCase();
          const fits = (!verdict || body.dataset.verdicts.split("|").includes(verdict)) && (!text || body.words.includes(text));
          body.hidden = !fits;
          total += 1; inSection += fits; inTable += fits;
        }
        settle();
        table.closest(".scroll").hidden = on && inTable === 0;
        inExhibit += inTable;
      }
      exhibit.hidden = on && inExhibit === 0;
      shown += inExhibit;
    }
    filterCount.textContent = on ? `${shown} of ${total} rows` : "";
  }
  verdictFilter?.addEventListener("change", filterRows);
  textFilter?.addEventListener("input", filterRows);

  let status = "";
  function filterClaims() {
    const claims = [...document.querySelectorAll(".claims > li")];
    for (const claim of claims) claim.hidden = status !== "" && claim.dataset.status !== status;
    for (const button of document.querySelectorAll("[data-status]")) {
      if (button.tagName === "BUTTON") button.setAttribute("aria-pressed", String(button.dataset.status === status));
    }
    const empty = document.querySelector("#claims .empty");
    if (empty) empty.hidden = claims.length === 0 || claims.some((claim) => !claim.hidden);
  }

  /* ---- The dialog: the runs behind a cell, or one run. */
  const dialog = document.querySelector("dialog");
  const sheet = dialog.querySelector("[data-sheet]");
  let opener = null;
  function open(selector, heading, ...content) {
    opener = { element: document.activeElement, selector };
    sheet.replaceChildren(
      make("div", { class: "head" }, make("h2", { id: "dialog-heading", tabindex: "-1" }, heading),
        make("button", { type: "button", onclick: () => dialog.close() }, "Close")),
      ...content);
    if (!dialog.open) dialog.showModal();
    dialog.scrollTop = 0;
    sheet.querySelector("h2").focus({ preventScroll: true });
  }
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  dialog.addEventListener("close", () => {
    sheet.replaceChildren();
    const back = opener.element.isConnected ? opener.element : document.querySelector(opener.selector);
    back?.focus({ preventScroll: true });
  });

  const fact = (name, value, wide = false) => value === null || value === undefined || value === "" ? null
    : make("div", { class: wide ? "wide" : null }, make("dt", {}, name), make("dd", {}, String(value)));
  const number = (value) => typeof value === "number" ? String(value) : value;

  const shown = (value, run) => page.values.ranks?.[run] ? `${number(value)} (${page.values.ranks[run]})` : number(value);

  function openCell(key) {
    const cell = page.values.cells[key];
    if (!cell) return;
    const unit = cell.unit ? ` ${cell.unit}` : "";
    const facts = make("dl", {},
      fact("Paper", cell.paper + (cell.paper === "-" ? "" : unit)),
      fact("Paper's seeds", cell.paper_seeds), fact("Source", cell.source),
      fact("Measured", cell.ours ? cell.ours + unit : "not yet"), fact("95 % prediction", cell.prediction),
      fact("Difference", cell.difference), fact("Tolerance", cell.tolerance),
      fact("Verdict", cell.verdict), fact("Reason", cell.reason, true),
      fact("Parts of the tolerance", cell.parts?.join("; "), true),
      fact("Interval", cell.interval, true), fact("p-value", cell.p), fact("Test", cell.test, true),
      fact("Needs", cell.needs, true));
    const panel = make("div", { "aria-live": "polite" });
    const choose = (run, button) => {
      for (const other of sheet.querySelectorAll("button.run")) other.setAttribute("aria-pressed", String(other === button));
      showRun(panel, run);
    };
    const lists = cell.measured.map((line) => seedsOf(line, unit, choose));
    open(`[data-cell="${CSS.escape(key)}"]`, `${cell.row}: ${cell.metric}`, facts, ...lists, panel);
    const first = sheet.querySelector("button.run");
    if (first) choose(first.textContent, first);
    else if (cell.first !== null) showRun(panel, page.values.runs[cell.first]);
  }
  const LISTED = 50;
  function seedsOf(line, unit, choose) {
    const record = page.values.records[line.record] ?? {};
    const rows = line.values.slice(0, LISTED).map(([seed, run, value]) => {
      const id = page.values.runs[run];
      const button = make("button", { type: "button", class: "run", "aria-pressed": "false" }, id);
      button.addEventListener("click", () => choose(id, button));
      return make("tr", {}, make("th", { scope: "row", class: "num" }, String(seed)), make("td", { class: "num" }, shown(value, id)),
        make("td", {}, button), make("td", { class: "path" }, `runs/${id}/evaluations/${line.evaluation}.json`));
    });
    const others = line.values.slice(LISTED).map(([seed, run, value]) => `${seed}\t${shown(value, page.values.runs[run])}\truns/${page.values.runs[run]}/evaluations/${line.evaluation}.json`);
    return make("section", {},
      make("h3", {}, line.reading ? `${line.label}, ${line.reading}` : line.label),
      make("div", { class: "scroll seeds", tabindex: "0", role: "region", "aria-label": `Seeds of ${line.label}` },
        make("table", {}, make("thead", {}, make("tr", {}, ...["Seed", `Value${unit}`, "Run", "Record"].map((name, at) =>
          make("th", { scope: "col", class: at < 2 ? "num" : null }, name)))), make("tbody", {}, ...rows))),
      others.length ? make("details", {}, make("summary", {}, `${others.length} more seeds`), text(others.join("\n"))) : null,
      make("details", {}, make("summary", {}, `Protocol, over ${line.n.toLocaleString("en")} items`),
        text(JSON.stringify(record.protocol ?? {}, null, 2)),
        Object.keys(record.details ?? {}).length ? [make("h4", {}, "Details of the first record"), text(JSON.stringify(record.details, null, 2))] : null));
  }
  const text = (content, label = "Text") => make("pre", { tabindex: "0", role: "region", "aria-label": label }, content);

  let current = null;
  async function showRun(panel, id) {
    current = { panel, id };
    const shown = await detailsOf(id);
    if (current.panel !== panel || current.id !== id) return;
    current.text = JSON.stringify(shown);
    panel.replaceChildren(...(shown ? runView(shown) : [make("h3", {}, `Run ${id}`),
      make("p", { class: "remark" }, `This page has no details of this run: see runs/${id} in the results directory.`)]));
  }
  async function detailsOf(id) {
    if (!page.fetchRun) return page.details[id] ?? null;
    try { return await page.fetchRun(id); } catch { return null; }
  }
  /* Refresh the open run; its view is redrawn only if its details changed. */
  async function refreshRun() {
    if (!dialog.open || !current?.panel.isConnected) return;
    const { panel, id, text: before } = current;
    const shown = await detailsOf(id);
    if (current.panel === panel && current.id === id && shown && JSON.stringify(shown) !== before) {
      const place = dialog.scrollTop;
      current.text = JSON.stringify(shown);
      panel.replaceChildren(...runView(shown));
      dialog.scrollTop = place;
    }
  }
  function runView(run) {
    const config = JSON.stringify(run.config, null, 2);
    const seed = run.config?.seed;
    const copied = make("span", { role: "status", class: "remark" });
    const copy = make("button", { type: "button" }, "Copy");
    copy.addEventListener("click", async () => {
      try { await navigator.clipboard.writeText(config); copied.textContent = " copied"; }
      catch { getSelection().selectAllChildren(configuration); copied.textContent = " selected: press Ctrl-C"; }
    });
    const configuration = text(config, "Configuration");
    return [
      make("h3", {}, `Run ${run.id}${seed === undefined ? "" : `, seed ${seed}`}: ${run.name}`),
      make("p", { class: "path" }, run.path),
      ...(run.problems ?? []).map((problem) => make("p", { class: "bad" }, problem)),
      make("dl", {},
        fact("State", run.state ?? run.outcome?.state ?? "unfinished"), fact("Error", run.outcome?.error, true),
        fact("Iterations", run.training?.iterations?.toLocaleString("en")), fact("Parameters", run.training?.parameters?.toLocaleString("en")),
        fact("Selected", run.training?.selected ? `the state after step ${run.training.selected.toLocaleString("en")}` : null),
        fact("Weights (SHA-256)", run.training?.weights_sha256, true), fact("Data (SHA-256)", run.training?.data_sha256, true)),
      run.curve ? make("h4", {}, "Curves") : null,
      run.curve ? make("div", { class: "curves" }, ...Object.entries(run.curve.series).map(([name, ys]) => curve(run.curve, name, ys))) : null,
      run.samples ? make("h4", {}, `Samples: the first ${run.samples.shown} of ${run.samples.of.toLocaleString("en")}, not selected`) : null,
      run.samples?.src?.startsWith("data:image/png;") ? make("img", { class: "samples", src: run.samples.src, alt: `The first ${run.samples.shown} samples of run ${run.id}` }) : null,
      run.samples ? make("p", { class: "path" }, run.samples.path, run.samples.src ? "" : " (too large for this page)") : null,
      make("h4", {}, "Provenance"),
      run.stays_before ? make("p", { class: "remark" }, `${run.stays_before} earlier segments are left out.`) : null,
      ...(run.stays.length ? run.stays.map(segmentView) : [make("p", { class: "remark" }, "No worker has started this run.")]),
      make("h4", {}, "Configuration ", copy, copied), configuration,
      run.log ? make("h4", {}, "End of the log") : null, run.log ? text(run.log, "End of the log") : null,
    ].filter((part) => part !== null);
  }
  const segmentView = (one) => make("dl", {},
    fact("Started (UTC)", one.started?.replace("T", " ").replace(/\.\d+|Z|\+00:00/g, "")),
    fact("Took", `${Math.round(one.seconds).toLocaleString("en")} s`), fact("Host", one.host),
    fact("Device", `${one.world_size > 1 ? `${one.world_size} × ` : ""}${one.device_name ?? one.device}`),
    fact("Commit", one.commit ? `${one.commit}${one.dirty ? " with uncommitted changes" : ""}` : "unknown", true),
    fact("Versions", Object.entries(one.versions ?? {}).map((pair) => pair.join(" ")).join(", "), true));

  const W = 100, H = 40, EDGE = 3;
  function curve(all, name, ys) {
    const known = all.x.map((x, at) => [x, ys[at]]).filter(([x, y]) => x !== null && y !== null);
    const [xs, heights] = [known.map(([x]) => x), known.map(([, y]) => y)];
    const low = Math.min(...heights), high = Math.max(...heights), from = Math.min(...xs), to = Math.max(...xs);
    const px = (x) => EDGE + (W - 2 * EDGE) * (to > from ? (x - from) / (to - from) : .5);
    const py = (y) => H - EDGE - (H - 2 * EDGE) * (high > low ? (y - low) / (high - low) : .5);
    let path = "", pen = "M";
    all.x.forEach((x, at) => {
      if (x === null || ys[at] === null) { pen = "M"; return; }
      path += `${pen}${px(x).toFixed(1)} ${py(ys[at]).toFixed(1)}`;
      pen = "L";
    });
    const told = known.length ? `${heights[0]} → ${heights[heights.length - 1]}` : "not finite";
    return make("figure", { class: "curve" },
      make("figcaption", {}, make("span", {}, name), make("span", {}, told)),
      draw("svg", { viewBox: `0 0 ${W} ${H}`, preserveAspectRatio: "none", role: "img",
        "aria-label": `${name} over ${all.of} points by ${all.across}: ${told}` }, draw("path", { d: path || "M0 0" })));
  }

  /* ---- Progressive enhancement: links become buttons and tables sortable; repeated for parts that the server replaces. */
  function enliven(part) {
    for (const link of part.querySelectorAll("a[data-cell], a[data-run]")) {
      const button = make("button", { type: "button", class: link.className, "aria-haspopup": "dialog", "data-cell": link.dataset.cell, "data-run": link.dataset.run });
      button.append(...link.childNodes);
      link.replaceWith(button);
    }
    part.querySelectorAll("table.values").forEach(makeSortable);
  }
  function settle() { offerVerdicts(); filterRows(); filterClaims(); }
  main.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.cell) openCell(button.dataset.cell);
    else if (button.dataset.run) {
      const panel = make("div");
      open(`[data-run="${CSS.escape(button.dataset.run)}"]`, "Run", panel);
      showRun(panel, button.dataset.run);
    } else if (button.dataset.status !== undefined) { status = button.dataset.status; filterClaims(); }
  });

  /* ---- Printing: unfold all details. */
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll("details:not([open])")];
    for (const element of folded) element.open = true;
  });
  addEventListener("afterprint", () => { for (const element of folded) element.open = false; });

  root.classList.add("js");
  enliven(main);
  settle();
  window.reportPage = { page, make, enliven, settle, refreshRun };
})();
