"use strict";
// Makes the waveform seekable and puts larger controls in the place of the browser's own. Without it the page plays too.
(() => {
  const player = document.querySelector(".player");
  const audio = player.querySelector("audio");
  const button = player.querySelector(".play");
  const label = button.querySelector(".unseen");
  const seek = player.querySelector(".seek");
  const played = document.getElementById("played");
  const at = player.querySelector(".at");
  const volume = player.querySelector(".volume");
  const loop = player.querySelector(".loop");
  const share = player.querySelector(".share");
  const { play, pause, position, title, picture, address, copy, copied } = player.dataset;
  const STEP_S = 5;
  let frame = 0;

  const seconds = () => (Number.isFinite(audio.duration) ? audio.duration : Number(player.dataset.seconds));
  const clock = (time) => {
    const whole = Math.floor(time);
    return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
  };

  function show() {
    const now = audio.currentTime;
    at.textContent = clock(now);
    player.classList.toggle("started", now > 0);
    if (!seek) return;
    seek.value = now;
    const box = seek.closest(".wave").querySelector("svg").viewBox.baseVal;
    played.setAttribute("width", (box.width * Math.min(1, now / seconds())).toFixed(1));
    const said = position.replace("{at}", clock(now)).replace("{length}", clock(Math.round(seconds())));
    if (seek.getAttribute("aria-valuetext") !== said) seek.setAttribute("aria-valuetext", said);
  }

  function follow() {
    show();
    frame = audio.paused ? 0 : requestAnimationFrame(follow);
  }

  function go(time) {
    audio.currentTime = Math.max(0, Math.min(time, seconds()));
    show();
  }

  function showState() {
    player.classList.toggle("playing", !audio.paused);
    label.textContent = audio.paused ? play : pause;
    cancelAnimationFrame(frame);
    follow();
  }

  // A press that the browser refuses, or that a pause overtakes, changes nothing.
  const toggle = () => (audio.paused ? audio.play().catch(() => {}) : audio.pause());

  button.addEventListener("click", toggle);
  for (const event of ["play", "pause", "ended"]) audio.addEventListener(event, showState);
  for (const event of ["timeupdate", "seeked", "loadedmetadata"]) audio.addEventListener(event, show);
  audio.addEventListener("error", () => {
    for (const part of [button, seek, volume, loop, player.querySelector(".time")]) if (part) part.hidden = true;
    audio.controls = true;
  });

  if (seek) {
    seek.addEventListener("input", () => go(Number(seek.value)));
    seek.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -STEP_S, ArrowDown: -STEP_S, ArrowRight: STEP_S, ArrowUp: STEP_S }[event.key];
      if (event.key === " ") toggle();
      else if (step) go(audio.currentTime + step);
      else return;
      event.preventDefault();
    });
    seek.hidden = false;
  }
  volume.querySelector("input").addEventListener("input", (event) => {
    audio.volume = Number(event.target.value);
  });

  loop.addEventListener("click", () => {
    audio.loop = !audio.loop;
    loop.setAttribute("aria-pressed", String(audio.loop));
  });
  share.addEventListener("click", () => {
    // A person who closes the dialog, or forbids the clipboard, has changed nothing.
    if (navigator.share) navigator.share({ title, url: address }).catch(() => {});
    else navigator.clipboard.writeText(address).then(() => (share.textContent = copied), () => {});
  });
  if (!navigator.share) share.textContent = copy;
  // Neither is there on a page without HTTPS.
  share.hidden = !(navigator.share || navigator.clipboard);

  if ("mediaSession" in navigator) {
    const artwork = picture ? [{ src: new URL(picture, location.href).href, type: "image/jpeg" }] : [];
    navigator.mediaSession.metadata = new MediaMetadata({ title, artist: "Melodify", artwork });
    navigator.mediaSession.setActionHandler("seekto", (details) => go(details.seekTime));
    navigator.mediaSession.setActionHandler("seekbackward", () => go(audio.currentTime - STEP_S));
    navigator.mediaSession.setActionHandler("seekforward", () => go(audio.currentTime + STEP_S));
  }
  for (const part of [button, volume, loop, player.querySelector(".time")]) part.hidden = false;
  audio.controls = false;
  showState();
})();
