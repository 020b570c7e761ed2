/* ---- Live mode: poll the server and replace only the parts that changed. */
(() => {
  const { page, make, enliven, settle, refreshRun } = window.reportPage;
  const POLL = 2000;
  const told = document.querySelector("[data-live]");
  const atWork = document.querySelector("[data-at-work]");
  const ask = async (path) => {
    const answer = await fetch(path, { cache: "no-store" });
    if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
    return answer;
  };
  let digests = null;
  page.fetchRun = async (id) => (await ask(`/runs/${encodeURIComponent(id)}.json`)).json();

  async function poll() {
    try {
      const state = await (await ask("/state.json")).json();
      if (digests && digests.code !== state.digests.code) { location.reload(); return; }
      if (digests?.values !== state.digests.values) page.values = await (await ask("/values.json")).json();
      const changed = digests ? Object.keys(state.digests).filter((id) => state.digests[id] !== digests[id]) : [];
      const parts = changed.map((id) => document.getElementById(id)).filter((part) => part?.classList.contains("part"));
      const texts = await Promise.all(parts.map(async (part) => (await ask(`/parts/${encodeURIComponent(part.id)}`)).text()));
      parts.forEach((part, at) => replace(part, texts[at])); // all at once, so that no unfiltered row flashes
      if (changed.length) settle();
      digests = state.digests;
      showRuns(state);
      await refreshRun();
      say(state.problem ? `cannot read: ${state.problem}` : `live, as of ${new Date().toLocaleTimeString()}`);
    } catch {
      say("the server does not respond; retrying");
    }
    setTimeout(poll, POLL);
  }
  function say(words) { if (told.textContent !== words) told.textContent = words; }

  /* Keep the reader's place: the scroll position, the focus, unfolded details and scrolled boxes. */
  function replace(part, html) {
    const anchor = [...document.querySelectorAll(".part")].find((other) => other !== part && other.getBoundingClientRect().bottom > 0);
    const before = anchor?.getBoundingClientRect().top;
    const unfolded = [...part.querySelectorAll("details")].map((element) => element.open);
    const scrolled = [...part.querySelectorAll(".scroll")].map((element) => element.scrollLeft);
    const focus = part.contains(document.activeElement) ? nameOf(document.activeElement) : null;
    part.replaceChildren(...new DOMParser().parseFromString(html, "text/html").body.childNodes);
    enliven(part);
    part.querySelectorAll("details").forEach((element, index) => { element.open = unfolded[index] ?? element.open; });
    part.querySelectorAll(".scroll").forEach((element, index) => { element.scrollLeft = scrolled[index] ?? 0; });
    if (focus) part.querySelector(focus)?.focus({ preventScroll: true });
    if (anchor) window.scrollBy({ top: anchor.getBoundingClientRect().top - before, behavior: "instant" });
    part.classList.remove("changed");
    void part.offsetWidth;
    part.classList.add("changed");
  }
  function nameOf(element) {
    if (element.dataset.cell) return `[data-cell="${CSS.escape(element.dataset.cell)}"]`;
    const heading = element.closest("th[data-sort]");
    if (heading) return `#${CSS.escape(heading.closest("table").id)} th[data-sort="${heading.dataset.sort}"] button`;
    return element.dataset.status !== undefined ? `button[data-status="${element.dataset.status}"]` : null;
  }

  const lines = new Map();
  const counts = make("p"), list = make("table", {},
    make("thead", {}, make("tr", {}, ...["Run", "State", "At", "Progress", "Time left"].map((name) => make("th", { scope: "col" }, name)))), make("tbody"));
  const box = make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Unfinished runs" }, list);
  const more = make("p", { class: "remark" });
  atWork.replaceChildren(counts, box, more);
  function showRuns(state) {
    counts.textContent = Object.entries(state.counts).map(([name, count]) => `${count} ${name}`).join(", ") || "no runs yet";
    box.hidden = state.runs.length === 0;
    more.textContent = state.waiting > state.runs.length ? `and ${state.waiting - state.runs.length} more` : "";
    const seen = new Set(state.runs.map((run) => run.id));
    for (const [id, line] of lines) if (!seen.has(id)) { line.row.remove(); lines.delete(id); }
    state.runs.forEach((run, index) => {
      if (!lines.has(run.id)) lines.set(run.id, lineOf(run));
      const { row, cells, bar } = lines.get(run.id);
      const texts = [run.error ? `${run.state}: ${run.error}` : run.state, run.phase ? `${run.phase} ${run.step}/${run.total}` : "", clock(run.seconds_left)];
      texts.forEach((words, at) => { if (cells[at].textContent !== words) cells[at].textContent = words; });
      bar.hidden = !run.total;
      if (run.total) { bar.max = run.total; bar.value = run.step; }
      if (list.tBodies[0].children[index] !== row) list.tBodies[0].insertBefore(row, list.tBodies[0].children[index] ?? null);
    });
  }
  function lineOf(run) {
    const cells = [make("td"), make("td"), make("td", { class: "num" })];
    const bar = make("progress", { "aria-label": `Progress of ${run.name}` });
    const button = make("button", { type: "button", class: "run", "data-run": run.id, "aria-haspopup": "dialog" }, run.id);
    return { cells, bar, row: make("tr", {}, make("th", { scope: "row" }, `${run.name} `, button), cells[0], cells[1], make("td", {}, bar), cells[2]) };
  }
  function clock(seconds) {
    if (seconds === null || seconds === undefined) return "";
    const whole = Math.round(seconds), two = (part) => String(part).padStart(2, "0");
    return `${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
  }

  poll();
})();
