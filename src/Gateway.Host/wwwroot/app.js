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
