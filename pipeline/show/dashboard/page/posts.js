"use strict";
(() => {
  const data = JSON.parse(document.getElementById("posts-data").textContent);
  const table = document.getElementById("post-table");
  const body = table.tBodies[0];
  const form = document.getElementById("filters");
  const pages = document.getElementById("pages");
  const heads = [...table.tHead.rows[0].cells];
  const keys = heads.map((head) => head.dataset.key);
  const columns = data.columns;
  const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });
  const whole = new Intl.NumberFormat("en-US");
  const platforms = {
    tiktok: "TikTok", instagram: "Instagram", youtube: "YouTube", x: "X", linkedin: "LinkedIn",
    reddit: "Reddit",
  };
  const perPage = matchMedia("(max-width: 640px)").matches ? 20 : 50;
  const state = { key: "date", falling: true, page: 0, shown: [] };
  const lower = columns.text.map((text) => text.toLocaleLowerCase());

  const write = {
    views: (value) => whole.format(value),
    views7: (value) => whole.format(value),
    engagement7: (value) => whole.format(value),
    rate: (value) => `${(value / 100).toFixed(2)}\u00a0%`,
    score: (value) => String(value),
  };
  const nameOf = (key, code) => {
    if (code < 0) return "";
    const name = key === "category" ? data.categories[code] : data.names[key][code];
    return key === "platform" ? platforms[name] ?? name : name;
  };
  const isNumber = (key) => key in write;
  const isName = (key) => key in data.names || key === "category";
  const isMissing = (key, row) => {
    const value = columns[key][row];
    if (isNumber(key)) return typeof value === "string";
    return isName(key) ? value < 0 : value === "";
  };

  // Order of names, so that comparing rows is comparing numbers; texts are put in order once.
  const ranks = {};
  const ranksOf = (key) => {
    if (!(key in ranks)) {
      if (isNumber(key)) ranks[key] = columns[key];
      else if (key === "category") ranks[key] = columns[key].map((code) => -code);
      else if (isName(key)) {
        const names = data.names[key].map((name, code) => [nameOf(key, code), code]);
        names.sort((one, other) => collator.compare(one[0], other[0]));
        const place = new Map(names.map(([, code], rank) => [code, rank]));
        ranks[key] = columns[key].map((code) => place.get(code) ?? -1);
      } else {
        const order = columns[key].map((text, row) => row);
        const compare = key === "text"
          ? (one, other) => collator.compare(columns.text[one], columns.text[other])
          : (one, other) => (columns[key][one] < columns[key][other] ? -1 : Number(columns[key][one] > columns[key][other]));
        order.sort(compare);
        ranks[key] = new Array(order.length);
        order.forEach((row, rank) => {
          const before = order[rank - 1];
          ranks[key][row] = rank > 0 && compare(before, row) === 0 ? ranks[key][before] : rank;
        });
      }
    }
    return ranks[key];
  };

  const sorted = (rows) => {
    const { key, falling } = state;
    const rank = ranksOf(key);
    const known = rows.filter((row) => !isMissing(key, row));
    const missing = rows.filter((row) => isMissing(key, row));
    // Equal rows keep their order, newest first; what is missing is last either way.
    known.sort((one, other) => (falling ? rank[other] - rank[one] : rank[one] - rank[other]));
    return known.concat(missing);
  };

  const filtered = () => {
    const wanted = new FormData(form);
    const words = String(wanted.get("text") ?? "").toLocaleLowerCase().split(/\s+/).filter(Boolean);
    const codes = ["account_name", "platform", "format", "pillar", "category"]
      .filter((key) => wanted.get(key))
      .map((key) => [key, Number(wanted.get(key))]);
    const days = Number(wanted.get("days") || 0);
    let since = "";
    if (days && table.dataset.newest) {
      const newest = new Date(`${table.dataset.newest}T00:00:00Z`);
      since = new Date(newest.getTime() - days * 86400000).toISOString().slice(0, 10);
    }
    const rows = [];
    for (let row = 0; row < data.n; row += 1) {
      if (since && columns.date[row] < since) continue;
      if (!codes.every(([key, code]) => columns[key][row] === code)) continue;
      if (!words.every((word) => lower[row].includes(word))) continue;
      rows.push(row);
    }
    return rows;
  };

  const dash = (reason) => {
    const cell = document.createDocumentFragment();
    const mark = cell.appendChild(document.createElement("span"));
    mark.className = "dash";
    mark.setAttribute("aria-hidden", "true");
    mark.textContent = "–";
    mark.title = reason;
    const told = cell.appendChild(document.createElement("span"));
    told.className = "hear";
    told.textContent = reason;
    return cell;
  };

  const addressOf = (row) => {
    const head = columns.address[row];
    if (head < 0) return null;
    return data.addresses[head] + (columns.tail[row] || columns.id[row]);
  };

  const content = (key, row) => {
    if (isMissing(key, row)) {
      if (isNumber(key)) return dash(data.reasons[columns[key][row]]);
      if (key === "category") return dash("no score yet");
      if (key === "text") return dash("the post has no text");
      return dash("not known");
    }
    if (isNumber(key)) return document.createTextNode(write[key](columns[key][row]));
    const text = document.createElement("bdi");
    text.dir = "auto";
    const words = isName(key) ? nameOf(key, columns[key][row]) : columns[key][row];
    if (isName(key)) {
      // A long name breaks after an underscore.
      words.split(/(?<=_)/).forEach((part) => text.append(part, document.createElement("wbr")));
    } else {
      text.textContent = words;
    }
    if (key === "category") text.className = `tag ${data.categories[columns[key][row]]}`;
    const address = key === "text" ? addressOf(row) : null;
    if (address === null) return text;
    const link = document.createElement("a");
    link.href = address;
    link.target = "_blank";
    link.rel = "noopener noreferrer nofollow";
    link.appendChild(text);
    return link;
  };

  const showPage = () => {
    const last = Math.max(0, Math.ceil(state.shown.length / perPage) - 1);
    state.page = Math.min(Math.max(0, state.page), last);
    const rows = state.shown.slice(state.page * perPage, (state.page + 1) * perPage);
    const lines = document.createDocumentFragment();
    for (const row of rows) {
      const line = lines.appendChild(document.createElement("tr"));
      line.dataset.post = columns.id[row];
      keys.forEach((key, place) => {
        const isHead = key === "text";
        const cell = line.appendChild(document.createElement(isHead ? "th" : "td"));
        if (isHead) cell.scope = "row";
        cell.className = `${key}${isNumber(key) ? " number" : ""}`;
        cell.dataset.name = heads[place].textContent;
        cell.appendChild(content(key, row));
      });
    }
    body.replaceChildren(lines);
    const count = state.shown.length;
    const all = count === data.n ? "" : ` of ${whole.format(data.n)}`;
    document.getElementById("count").textContent = count
      ? `${whole.format(count)}${all} posts`
      : "No post fits. Clear the filter to see all.";
    pages.hidden = last === 0;
    document.getElementById("page-number").textContent =
      `Page ${state.page + 1} of ${last + 1}`;
    const [back, on] = pages.querySelectorAll("button");
    back.disabled = state.page === 0;
    on.disabled = state.page === last;
  };

  const show = () => {
    state.shown = sorted(filtered());
    heads.forEach((head) => {
      const order = state.falling ? "descending" : "ascending";
      head.setAttribute("aria-sort", head.dataset.key === state.key ? order : "none");
    });
    showPage();
  };

  for (const select of form.querySelectorAll("select")) {
    const key = select.name;
    if (key === "days") continue;
    select.add(new Option("all", ""));
    const names = key === "category" ? data.categories : data.names[key];
    names.forEach((name, code) => select.add(new Option(nameOf(key, code), String(code))));
    select.closest("label").hidden = names.length < 2;
  }
  heads.forEach((head) => {
    head.querySelector("button").addEventListener("click", () => {
      const key = head.dataset.key;
      // Numbers and days begin with the largest, words with A.
      state.falling = key === state.key ? !state.falling : isNumber(key) || key === "date" || key === "category";
      state.key = key;
      state.page = 0;
      show();
    });
  });
  const again = () => { state.page = 0; show(); };
  form.addEventListener("input", again);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(again));
  pages.addEventListener("click", (event) => {
    const step = Number(event.target.dataset?.step || 0);
    if (!step) return;
    state.page += step;
    showPage();
    table.scrollIntoView({ block: "start" });
  });
  form.hidden = false;
  show();
})();
