// What every page's scripts share: copy buttons. Without a script everything can still be read.
(function () {
  "use strict";

  function copied(button, words) {
    var before = button.getAttribute("data-label") || button.textContent;
    button.setAttribute("data-label", before);
    button.textContent = words;
    window.setTimeout(function () { button.textContent = before; }, 1800);
  }

  // navigator.clipboard is for https alone, and many hospitals' registries are plain http.
  function copyByHand(text) {
    var area = document.createElement("textarea");
    area.value = text;
    area.setAttribute("readonly", "");
    area.className = "hidden";
    document.body.appendChild(area);
    area.select();
    var done = false;
    try { done = document.execCommand("copy"); } catch (error) { done = false; }
    document.body.removeChild(area);
    return done;
  }

  function textOf(button) {
    var from = button.getAttribute("data-copy-from");
    if (!from) { return button.getAttribute("data-copy"); }
    var source = document.getElementById(from);
    return source ? source.textContent : "";
  }

  function copy(button) {
    var text = textOf(button);
    var yes = document.body.getAttribute("data-copied");
    var no = document.body.getAttribute("data-copy-failed");
    function byHand() {
      copied(button, copyByHand(text) ? yes : no);
      button.focus();
    }
    if (navigator.clipboard && window.isSecureContext) {
      navigator.clipboard.writeText(text).then(function () { copied(button, yes); }, byHand);
    } else {
      byHand();
    }
  }

  Array.prototype.forEach.call(document.querySelectorAll("button.copy"), function (button) {
    button.hidden = false;
    button.addEventListener("click", function () { copy(button); });
  });
})();
