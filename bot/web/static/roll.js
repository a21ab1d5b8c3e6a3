"use strict";
// Draws the song's notes in step with its sound; a press on one goes there. Without it, all else is there.
(async () => {
  const canvas = document.querySelector(".roll");
  const list = document.querySelector(".voices");
  const audio = document.querySelector("audio");
  const pen = canvas.getContext("2d");
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const SEEN_S = 8; // so much of the song is in sight,
  const AHEAD = 0.7; // and so much of that is still to come
  let notes = [], rows = 1, length = 0, colours = [], from = 0, frame = 0;

  // Instruments by pitch, the highest at the top; under them each drum in a row of its own.
  function place(voices) {
    voices.forEach((voice, index) => {
      for (let at = 0; at < voice.notes.length; at += 3) {
        const [start, lasts, pitch] = voice.notes.slice(at, at + 3);
        notes.push({ start: start / 100, end: (start + lasts) / 100, pitch, index, drums: voice.drums });
      }
    });
    const pitches = notes.filter((note) => !note.drums).map((note) => note.pitch);
    const drums = [...new Set(notes.filter((note) => note.drums).map((note) => note.pitch))].sort((a, b) => b - a);
    const high = Math.max(...pitches), tuned = pitches.length ? high - Math.min(...pitches) + 2 : 0;
    for (const note of notes) note.row = note.drums ? tuned + drums.indexOf(note.pitch) : high - note.pitch;
    rows = tuned + drums.length;
    length = notes.reduce((last, note) => Math.max(last, note.end), SEEN_S);
  }

  // Where motion is not wanted, pages are turned.
  function start(now) {
    if (still.matches) return Math.floor(now / SEEN_S) * SEEN_S;
    return Math.max(0, Math.min(now - (1 - AHEAD) * SEEN_S, length - SEEN_S));
  }

  function draw() {
    const now = audio.currentTime;
    const { width, height } = canvas, each = height / rows, second = width / SEEN_S;
    from = start(now);
    pen.clearRect(0, 0, width, height);
    for (const note of notes) {
      if (note.end < from || note.start > from + SEEN_S) continue;
      const sounds = note.start <= now && now < note.end;
      pen.globalAlpha = sounds ? 1 : note.end <= now ? 0.35 : 0.6;
      pen.fillStyle = colours[note.index];
      const wide = Math.max(3, (note.end - note.start) * second - 1), high = Math.max(2, Math.floor(0.85 * each));
      pen.fillRect((note.start - from) * second, Math.round(note.row * each), wide, high);
    }
    pen.globalAlpha = 1;
    pen.fillStyle = colours.at(-1);
    pen.fillRect((now - from) * second, 0, Math.max(1, width / 400), height);
  }

  function follow() {
    draw();
    frame = audio.paused || still.matches ? 0 : requestAnimationFrame(follow);
  }

  function restart() {
    cancelAnimationFrame(frame);
    follow();
  }

  function resize() {
    const { width, height } = canvas.getBoundingClientRect();
    canvas.width = Math.round(width * devicePixelRatio);
    canvas.height = Math.round(height * devicePixelRatio);
    draw();
  }

  function recolour() {
    // The last is the text's, for the line.
    colours = [...list.children, document.body].map((part) => getComputedStyle(part).color);
    draw();
  }

  const answer = await fetch(canvas.dataset.notes).catch(() => null);
  const voices = answer?.ok ? await answer.json().catch(() => []) : [];
  if (!voices.length) return;
  place(voices);
  for (const voice of voices) {
    const item = document.createElement("li"), name = document.createElement("span");
    name.textContent = voice.name;
    item.append(name);
    list.append(item);
  }
  canvas.parentElement.hidden = false;
  recolour();
  new ResizeObserver(resize).observe(canvas);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolour);
  still.addEventListener("change", restart);
  for (const event of ["play", "pause"]) audio.addEventListener(event, restart);
  for (const event of ["timeupdate", "seeking", "seeked"]) audio.addEventListener(event, draw);
  canvas.addEventListener("click", (event) => {
    audio.currentTime = Math.max(0, from + (event.offsetX / canvas.clientWidth) * SEEN_S);
  });
  restart();
})();
