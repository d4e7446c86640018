// Search as you type, over /search. Without it the form asks the overview by itself.
(function () {
  "use strict";

  var form = document.querySelector("form.search");
  var input = document.getElementById("q");
  var box = document.getElementById("found");
  var status = document.getElementById("found-status");
  if (!form || !window.fetch) { return; }
  var words = form.dataset;
  var asked = 0;
  var timer = 0;
  var chosen = -1;

  input.setAttribute("role", "combobox");
  input.setAttribute("aria-autocomplete", "list");
  input.setAttribute("aria-controls", "found");
  input.setAttribute("aria-expanded", "false");
  box.setAttribute("role", "listbox");
  box.setAttribute("aria-label", words.hospital + ", " + words.service);

  function part(name, className, text) {
    var made = document.createElement(name);
    if (className) { made.className = className; }
    made.textContent = text;
    return made;
  }

  function row(href, kind, word, title, about, at) {
    var line = document.createElement("a");
    line.href = href;
    line.setAttribute("role", "option");
    line.setAttribute("aria-selected", "false");
    line.tabIndex = -1;
    line.id = "found-" + box.children.length;
    line.appendChild(part("span", "kind is-" + kind, word));
    line.appendChild(part("b", "", title));
    line.appendChild(part("span", "about", about));
    if (at) { line.appendChild(part("span", "at", at)); }
    box.appendChild(line);
  }

  function say(text) { status.textContent = text; }

  function open(yes) {
    box.hidden = !yes;
    input.setAttribute("aria-expanded", yes ? "true" : "false");
    if (!yes) { choose(-1); }
  }

  function choose(number) {
    var rows = box.querySelectorAll("a");
    chosen = number;
    Array.prototype.forEach.call(rows, function (line, index) {
      var is = index === number;
      line.className = is ? "chosen" : "";
      line.setAttribute("aria-selected", is ? "true" : "false");
      if (is && line.scrollIntoView) { line.scrollIntoView({ block: "nearest" }); }
    });
    if (number >= 0 && rows[number]) {
      input.setAttribute("aria-activedescendant", rows[number].id);
    } else {
      input.removeAttribute("aria-activedescendant");
    }
  }

  function show(found) {
    box.textContent = "";
    found.entries.forEach(function (one) {
      var about = [one.about, one.within].filter(Boolean).join(" · ");
      var at = one.total > 1 ? one.total + " " + words.hospitals : one.hospital;
      row(one.href, one.kind, words[one.kind], one.title, about, at);
    });
    found.hospitals.forEach(function (one) {
      row(one.href, "hospital", words.hospital, one.title, one.about, "");
    });
    var total = found.hospital_total + found.entry_total;
    if (!total) {
      box.appendChild(part("p", "", words.nothing));
      say(words.nothing);
    } else {
      if (total > found.entries.length + found.hospitals.length) {
        box.appendChild(part("p", "", total + " · " + words.more));
      }
      say(String(total));
    }
    open(true);
  }

  function ask() {
    var query = input.value.trim();
    var number = ++asked;
    if (!query) { open(false); return; }
    fetch("/search?q=" + encodeURIComponent(query), { credentials: "same-origin" })
      .then(function (answer) { return answer.ok ? answer.json() : null; })
      .then(function (found) {
        // An answer that was overtaken by a later question is of no use.
        if (found && number === asked) { choose(-1); show(found); }
      })
      .catch(function () { if (number === asked) { open(false); } });
  }

  input.addEventListener("input", function () {
    window.clearTimeout(timer);
    timer = window.setTimeout(ask, 120);
  });
  input.addEventListener("keydown", function (event) {
    var rows = box.querySelectorAll("a");
    if (event.key === "Escape" && !box.hidden) { open(false); event.preventDefault(); return; }
    if (box.hidden || !rows.length) { return; }
    if (event.key === "ArrowDown") {
      choose((chosen + 1) % rows.length); event.preventDefault();
    } else if (event.key === "ArrowUp") {
      choose(chosen > 0 ? chosen - 1 : rows.length - 1); event.preventDefault();
    } else if (event.key === "Enter" && chosen >= 0) {
      event.preventDefault();
      window.location.href = rows[chosen].href;
    }
  });
  document.addEventListener("click", function (event) {
    if (!form.contains(event.target)) { open(false); }
  });
  form.addEventListener("focusout", function (event) {
    if (event.relatedTarget && !form.contains(event.relatedTarget)) { open(false); }
  });
  // "/" goes to the search, as in most programmers' tools.
  document.addEventListener("keydown", function (event) {
    var tag = document.activeElement ? document.activeElement.tagName : "";
    if (event.key === "/" && !/^(INPUT|TEXTAREA|SELECT)$/.test(tag)) {
      event.preventDefault();
      input.focus();
    }
  });
})();
