"use strict";
// Follows the song's stages, and turns the page into the song when it is there.
(() => {
  const list = document.querySelector(".stages");
  const said = document.querySelector("[role=status]");
  const steps = [...list.children];
  const RETRY_MS = 5000;
  // The end may be told a moment before the song's page is there.
  const SOON_MS = 400;

  function show(stage) {
    const now = steps.findIndex((step) => step.dataset.stage === stage);
    if (now < 0) return;
    steps.forEach((step, index) => {
      const state = index < now ? "done" : index === now ? "now" : "later";
      step.className = state;
      step.querySelector(".unseen").textContent = `(${list.dataset[state]})`;
      if (state === "now") step.setAttribute("aria-current", "step");
      else step.removeAttribute("aria-current");
    });
    said.textContent = steps[now].querySelector(".name").textContent;
  }

  const events = new EventSource(list.dataset.events);
  events.addEventListener("stage", (event) => show(event.data));
  events.addEventListener("end", () => {
    events.close();
    setTimeout(() => location.reload(), SOON_MS);
  });
  events.addEventListener("error", () => {
    // A lost connection is taken up again by the browser itself; a refused one is not.
    if (events.readyState === EventSource.CLOSED) setTimeout(() => location.reload(), RETRY_MS);
  });
})();
