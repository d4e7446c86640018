// The recipes as tabs. Without a script they stand below each other.
(function () {
  "use strict";

  Array.prototype.forEach.call(document.querySelectorAll(".tabs"), function (tabs) {
    var panels = Array.prototype.slice.call(tabs.querySelectorAll(".recipe"));
    if (panels.length < 2) { return; }
    var list = document.createElement("div");
    list.className = "tablist";
    list.setAttribute("role", "tablist");
    var buttons = panels.map(function (panel, index) {
      var button = document.createElement("button");
      button.type = "button";
      button.id = "tab-" + panel.id;
      button.textContent = panel.querySelector("h3").textContent;
      button.setAttribute("role", "tab");
      button.setAttribute("aria-controls", panel.id);
      button.addEventListener("click", function () { choose(index, false); });
      list.appendChild(button);
      panel.setAttribute("role", "tabpanel");
      panel.setAttribute("aria-labelledby", button.id);
      return button;
    });

    function choose(chosen, focus) {
      buttons.forEach(function (button, index) {
        var is = index === chosen;
        button.setAttribute("aria-selected", is ? "true" : "false");
        button.tabIndex = is ? 0 : -1;
        panels[index].hidden = !is;
        if (is && focus) { button.focus(); }
      });
      try { window.localStorage.setItem("yilian-recipe", panels[chosen].id); } catch (error) { return; }
    }

    list.addEventListener("keydown", function (event) {
      var now = buttons.indexOf(document.activeElement);
      var step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (now >= 0 && step) {
        event.preventDefault();
        choose((now + step + buttons.length) % buttons.length, true);
      } else if (now >= 0 && (event.key === "Home" || event.key === "End")) {
        event.preventDefault();
        choose(event.key === "Home" ? 0 : buttons.length - 1, true);
      }
    });

    // The language that was read last is the one that is wanted on the next service.
    var before = "";
    try { before = window.localStorage.getItem("yilian-recipe") || ""; } catch (error) { before = ""; }
    var first = panels.map(function (panel) { return panel.id; }).indexOf(before);
    tabs.insertBefore(list, panels[0]);
    tabs.classList.add("tabbed");
    choose(first < 0 ? 0 : first, false);
  });
})();
