// Starts the page's connection and keeps trying for as long as the page is open: a restart of the gateway heals by itself.
Blazor.start({
  circuit: {
    reconnectionOptions: {
      maxRetries: Number.MAX_SAFE_INTEGER,
      retryIntervalMilliseconds: tries => Math.min(250 + tries * 250, 1500),
    },
  },
});

const banner = document.getElementById("components-reconnect-modal");
if (banner) {
  // A rejected reconnection means that the server no longer knows this page: a reload is all that helps.
  new MutationObserver(() => {
    if (banner.classList.contains("components-reconnect-rejected") || banner.classList.contains("components-reconnect-failed")) {
      location.reload();
    }
  }).observe(banner, { attributes: true, attributeFilter: ["class"] });
}

document.addEventListener("click", event => {
  const button = event.target.closest("[data-copy]");
  if (button && navigator.clipboard) {
    navigator.clipboard.writeText(button.dataset.copy);
  }
});

// Keys: / to search, g and a letter to a page, Shift with a letter for a verb that names it. Never while somebody types.
let gone = 0;
document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select, [contenteditable]")) {
    return;
  }
  if (event.key === "/") {
    event.preventDefault();
    document.getElementById("search")?.focus();
  } else if (event.key === "g") {
    gone = event.timeStamp;
  } else if (event.timeStamp - gone < 1500) {
    gone = 0;
    document.querySelector(`header nav a[title="g then ${CSS.escape(event.key)}"]`)?.click();
  } else {
    const verb = [...document.querySelectorAll(`button[data-key="${CSS.escape(event.key)}"]:not(:disabled)`)][0];
    if (verb) {
      event.preventDefault();
      verb.click();
    }
  }
});
