// Starts the page's connection and keeps trying for as long as the page is open: a restart of the gateway heals by itself.
// The answer to a form has no connection.
window.Blazor?.start({
  circuit: {
    reconnectionOptions: {
      maxRetries: Number.MAX_SAFE_INTEGER,
      retryIntervalMilliseconds: tries => Math.min(250 + tries * 250, 1500),
    },
  },
});

const banner = document.getElementById("components-reconnect-modal");
if (banner) {
  // Without a connection nothing can be done, so nothing offers itself; what is shown stays readable, with the moment it is of.
  // An age that no longer grows would lie, so the moments themselves are shown.
  const lost = document.createElement("time");
  let inert = [], ages = [];
  const verbsFollow = () => {
    const off = ["show", "retrying", "failed", "rejected", "paused"].some(c => banner.classList.contains("components-reconnect-" + c));
    if (off && !lost.isConnected) {
      inert = [...document.querySelectorAll(":is(main, .rz-dialog) :is(button, form, select, input), .clock + button")].filter(e => !e.inert);
      inert.forEach(e => { e.inert = true; });
      ages = [...document.querySelectorAll("main time")].filter(e => e.firstChild).map(e => [e.firstChild, e.firstChild.data]);
      ages.forEach(([text]) => { text.data = text.parentNode.dateTime; });
      lost.dateTime = new Date().toISOString();
      lost.textContent = " Lost at " + lost.dateTime.slice(11, 19) + " UTC.";
      banner.append(lost);
    } else if (!off && lost.isConnected) {
      ages.forEach(([text, age]) => { text.data = age; });
      inert.forEach(e => { e.inert = false; });
      inert = [];
      lost.remove();
    }
  };
  // A rejected reconnection means that the server no longer knows this page: a reload is all that helps.
  new MutationObserver(() => {
    verbsFollow();
    if (banner.classList.contains("components-reconnect-rejected") || banner.classList.contains("components-reconnect-failed")) {
      location.reload();
    }
  }).observe(banner, { attributes: true, attributeFilter: ["class"] });
}

// What a session showed goes with it. The gateway is asked when it ends, because other windows prolong it too; while no answer
// comes, the last one counts.
const signOut = () => document.querySelector("form[action='sign-out']");
if (signOut()) {
  let endsAt = Infinity, warnsAt = Infinity, asksAt = 0, canStay = true, asking = false, again = false, over = false;
  let notice = null, dismissed = false;

  const leave = () => {
    over = true;
    const back = document.documentElement.dataset.back ?? location.pathname + location.search;
    document.body.replaceChildren();
    location.replace("/sign-in?ReturnUrl=" + encodeURIComponent(back));
  };

  const ask = async () => {
    asking = true;
    try {
      const answer = await fetch("/session", { cache: "no-store", signal: AbortSignal.timeout(3000) });
      if (answer.status === 204) {
        endsAt = 0;
      } else if (answer.ok) {
        const end = await answer.json();
        endsAt = Date.now() + end.seconds * 1000;
        warnsAt = endsAt - end.warnSeconds * 1000;
        canStay = end.canStay;
      }
    } catch {
      // The gateway cannot be reached: the end that was told comes all the same.
    }
    asking = false;
    // Near the end another window may prolong it at any moment.
    asksAt = again ? 0 : Date.now() < warnsAt && warnsAt < Infinity ? warnsAt : Date.now() + 5000;
    again = false;
  };

  const stay = async () => {
    await fetch("/session", { method: "POST", headers: { Accept: "text/html" }, body: new URLSearchParams(new FormData(signOut())) }).catch(() => {});
    await ask();
    follow();
  };

  const warn = () => {
    const title = document.createElement("h2");
    const text = document.createElement("p");
    const left = document.createElement("span");
    const button = document.createElement("button");
    notice = document.createElement("dialog");
    notice.id = "session-end";
    notice.setAttribute("role", "alertdialog");
    notice.setAttribute("aria-labelledby", title.id = "session-end-title");
    notice.setAttribute("aria-describedby", text.id = "session-end-text");
    title.textContent = "Your session is about to end";
    left.dataset.left = "";
    text.append(canStay ? "Nothing was done for a while, so it ends in " : "It has lasted its longest time and ends in ", left, " s. Then this page closes, and what is not saved is lost.");
    button.type = "button";
    button.className = "first";
    button.textContent = canStay ? "Stay signed in" : "Close this notice";
    const answer = () => {
      if (canStay) {
        stay();
      } else {
        dismissed = true;
        follow();
      }
    };
    button.addEventListener("click", answer);
    notice.addEventListener("cancel", event => {
      event.preventDefault();
      answer();
    });
    notice.append(title, text, button);
    document.body.append(notice);
    notice.showModal();
    button.focus();
  };

  const follow = () => {
    const now = Date.now();
    const isNear = now >= warnsAt && now < endsAt && !dismissed;
    if (isNear && !notice && !asking) {
      warn();
    } else if (!isNear && notice) {
      notice.close(); // the focus goes back to where it was
      notice.remove();
      notice = null;
    }
    if (notice) {
      notice.querySelector("[data-left]").textContent = Math.ceil((endsAt - now) / 1000);
    }
  };

  const tick = async () => {
    if (over) {
      return;
    }
    const now = Date.now();
    document.documentElement.toggleAttribute("data-over", now >= endsAt);
    if (!asking && now >= Math.min(asksAt, endsAt)) {
      await ask();
      document.documentElement.toggleAttribute("data-over", Date.now() >= endsAt);
      if (Date.now() >= endsAt) {
        leave();
        return;
      }
    }
    follow();
  };
  tick();
  setInterval(tick, 1000);
  // A machine that slept, or a window that was covered, comes back to a session that may be over.
  document.addEventListener("visibilitychange", tick);
  window.addEventListener("focus", () => {
    asksAt = 0;
    again = asking; // the answer under way may be from before
    tick();
  });
}

// What is copied stands in the button, in an element of the page, or at an address of ours.
async function textOf(button) {
  if (button.dataset.copy !== undefined) {
    return button.dataset.copy;
  }
  if (button.dataset.copyOf) {
    return document.getElementById(button.dataset.copyOf).textContent;
  }
  const answer = await fetch(button.dataset.copyFrom);
  if (!answer.ok) {
    throw new Error("The report answered " + answer.status);
  }
  return await answer.text();
}

async function copy(text) {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text);
    return;
  }
  // Browsers keep the clipboard from pages that come without TLS; this older way still works there.
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (!done) {
    throw new Error("Copying is not allowed");
  }
}

document.addEventListener("click", async event => {
  const button = event.target.closest("[data-copy], [data-copy-of], [data-copy-from]");
  if (!button || button.dataset.said) {
    return;
  }
  // Its text is changed in place: the page's own renderer keeps hold of the node.
  const label = button.firstChild;
  button.dataset.said = label.data;
  try {
    await copy(await textOf(button));
    label.data = "Copied";
  } catch {
    label.data = "Not copied";
  }
  setTimeout(() => {
    label.data = button.dataset.said;
    delete button.dataset.said;
  }, 2000);
});

// Files dropped anywhere on a form land in its field.
for (const kind of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, event => {
    const form = event.target.closest?.("form[data-drop]");
    if (!form) {
      return;
    }
    event.preventDefault();
    form.classList.toggle("over", kind === "dragover");
    if (kind === "drop" && event.dataTransfer.files.length > 0) {
      form.querySelector("input[type=file]").files = event.dataTransfer.files;
    }
  });
}

// The next or previous finding, also one whose list is scrolled away.
function findingFrom(step) {
  const all = [...document.querySelectorAll(".finding")];
  const now = all.indexOf(document.activeElement?.closest(".finding"));
  const next = all[now < 0 ? (step > 0 ? 0 : all.length - 1) : now + step];
  next?.focus();
  return next !== undefined;
}

// Keys: / to search, g and a letter to a page, Shift with a letter for a verb that names it. Never while somebody types.
let gone = -Infinity;
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
    gone = -Infinity;
    document.querySelector(`header nav a[title="g then ${CSS.escape(event.key)}"]`)?.click();
  } else if ((event.key === "n" || event.key === "p") && findingFrom(event.key === "n" ? 1 : -1)) {
    event.preventDefault();
  } else {
    const verb = [...document.querySelectorAll(`button[data-key="${CSS.escape(event.key)}"]:not(:disabled)`)][0];
    if (verb) {
      event.preventDefault();
      verb.click();
    }
  }
});
