"use strict";
// Follows the song's stages, and turns the page into the song when it is there. What it is told as events comes at once;
// where they are held back or refused, on the way or by a restart, it looks for itself.
(() => {
  const list = document.querySelector(".stages");
  const said = document.querySelector("[role=status]");
  const steps = [...list.children];
  // The server is heard every 15 seconds.
  const SILENCE_MS = 20000;
  // The end may be told a moment before the song's page is there.
  const SOON_MS = 400;
  const RETRY_MS = 5000;
  const LONGEST_MS = 60000;
  // The answers, beside the song, that are the end of it: there is none, and there will be none.
  const OVER = [404, 410];
  let events, timer, pause;
  let told = false; // that the end has come

  function show(stage) {
    const now = steps.findIndex((step) => step.dataset.stage === stage);
    if (now < 0 || steps[now].hasAttribute("aria-current")) return;
    steps.forEach((step, index) => {
      const state = index < now ? "done" : index === now ? "now" : "later";
      step.className = state;
      step.querySelector(".unseen").textContent = `(${list.dataset[state]})`;
      if (state === "now") step.setAttribute("aria-current", "step");
      else step.removeAttribute("aria-current");
    });
    said.textContent = steps[now].querySelector(".name").textContent;
  }

  function lookIn(ms) {
    clearTimeout(timer);
    timer = setTimeout(look, ms);
  }

  function lookLater() {
    lookIn(pause);
    pause = Math.min(2 * pause, LONGEST_MS);
  }

  // A proxy's page in the place of ours is none of ours: whoever loads it is lost there.
  async function look() {
    let page;
    try {
      const answer = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(SILENCE_MS) });
      if (!answer.ok && !OVER.includes(answer.status)) return lookLater();
      page = new DOMParser().parseFromString(await answer.text(), "text/html");
    } catch {
      return lookLater();
    }
    if (!page.querySelector("meta[name=generator][content=Melodify]")) return lookLater();
    if (!page.querySelector(".stages")) return location.reload();
    show(page.querySelector("[aria-current=step]")?.dataset.stage);
    if (events.readyState !== EventSource.CLOSED) return lookIn(SILENCE_MS);
    if (!told) follow();
    lookLater();
  }

  function hear() {
    pause = RETRY_MS;
    lookIn(SILENCE_MS);
  }

  function follow() {
    events = new EventSource(list.dataset.events);
    events.addEventListener("stage", (event) => {
      hear();
      show(event.data);
    });
    events.addEventListener("beat", hear);
    events.addEventListener("end", () => {
      events.close();
      told = true;
      pause = SOON_MS;
      lookLater();
    });
    events.addEventListener("error", () => {
      // A lost connection is taken up again by the browser itself; a refused one is not.
      if (events.readyState === EventSource.CLOSED) lookLater();
    });
  }

  hear();
  follow();
})();
