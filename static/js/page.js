// Small things that pages do by themselves. All of them work on elements that htmx adds later, too.
(() => {
  const LOG_CHARACTERS = 400_000;

  // Copying: <button data-copy="text">. The clipboard API exists only on https and localhost.
  async function copy(text) {
    if (navigator.clipboard && window.isSecureContext) {
      await navigator.clipboard.writeText(text);
      return;
    }
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "visually-hidden";
    document.body.append(area);
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    if (!copied) throw new Error("the browser refused");
  }

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const label = button.querySelector("[data-copy-label]");
    const before = (button.dataset.copyBefore ||= label.textContent);
    try {
      await copy(button.dataset.copy);
      label.textContent = "Copied";
    } catch {
      label.textContent = "Select and copy it by hand";
    }
    setTimeout(() => (label.textContent = before), 2000);
  });

  // Danger zones: <form data-confirm="name"> can be sent only once the name is typed.
  function confirmable(form) {
    const typed = form.elements.confirm.value.trim() === form.dataset.confirm;
    form.querySelector("[type=submit]").disabled = !typed;
  }

  document.addEventListener("input", (event) => {
    const form = event.target.closest("form[data-confirm]");
    if (form) confirmable(form);
  });

  // Searching: <input data-filter="id"> hides what does not hold its text among the labels of that element.
  document.addEventListener("input", (event) => {
    const { filter } = event.target.dataset;
    if (!filter) return;
    const text = event.target.value.trim().toLowerCase();
    for (const label of document.getElementById(filter).querySelectorAll("label")) {
      label.hidden = !label.textContent.toLowerCase().includes(text);
    }
  });

  // Logs follow their end while the switch is on, and forget their beginning when they grow long.
  function follow(log) {
    let size = 0;
    for (const part of [...log.querySelectorAll("pre")].reverse()) {
      size += part.textContent.length;
      if (size > LOG_CHARACTERS) part.remove();
    }
    const control = document.querySelector("[data-log-follow]");
    if (!control || control.checked) log.scrollTop = log.scrollHeight;
  }

  // A rail or a row of tabs that is wider than a phone shows where one is.
  function showCurrent() {
    for (const item of document.querySelectorAll(".nav > .nav-item > .active")) {
      item.scrollIntoView({ block: "nearest", inline: "center" });
    }
  }

  function prepare() {
    showCurrent();
    document.querySelectorAll("form[data-confirm]").forEach(confirmable);
    document.querySelectorAll("[data-log]").forEach((log) => {
      follow(log);
      // Scrolling up to read switches following off; back at the end switches it on again.
      log.addEventListener("scroll", () => {
        const control = document.querySelector("[data-log-follow]");
        if (control) control.checked = log.scrollTop + log.clientHeight >= log.scrollHeight - 40;
      });
    });
  }

  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-log-follow]")) document.querySelectorAll("[data-log]").forEach(follow);
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    const log = event.target.closest?.("[data-log]") || document.querySelector("[data-log]");
    if (log) follow(log);
  });
  document.addEventListener("htmx:load", (event) => {
    event.target.querySelectorAll?.("form[data-confirm]").forEach(confirmable);
  });

  prepare();
})();
