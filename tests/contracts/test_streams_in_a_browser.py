"""The stream for browsers, played by Chromium."""

import zipfile

import pytest
from PIL import Image

from fixtures.browsers import browser, told_by_page
from fixtures.films import deliver
from fixtures.sounds import make_sound_project, save, tone, track

PAGE = """<!doctype html><video muted playsinline width="320"></video><script>
const video = document.querySelector("video"), told = {pixels: []};
const say = () => fetch("/told", {method: "POST", body: JSON.stringify(told)});
const once = name => new Promise(done => video.addEventListener(name, done, {once: true}));
video.addEventListener("error", () => { told.error = video.error.message || "error " + video.error.code; say(); });
async function look(time) {
  const there = once("seeked");
  video.currentTime = time;
  await there;
  const canvas = document.createElement("canvas"), brush = canvas.getContext("2d");
  [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  let pixel;
  for (let tries = 0; tries < 100; tries++) {
    brush.drawImage(video, 0, 0);
    pixel = [...brush.getImageData(canvas.width / 2, canvas.height / 2, 1, 1).data];
    if (pixel[3]) break;  // a busy browser says "seeked" before it has a frame to draw: then nothing is drawn
    await new Promise(done => setTimeout(done, 50));
  }
  told.pixels.push(pixel.slice(0, 3));
}
async function watch() {
  told.plays = ["application/vnd.apple.mpegurl", 'video/mp4; codecs="avc1.640028"'].map(it => video.canPlayType(it));
  if (!told.plays[0] || !told.plays[1]) return say();
  const ready = once("loadeddata");
  video.src = "master.m3u8";
  await ready;
  [told.duration, told.size] = [video.duration, [video.videoWidth, video.videoHeight]];
  await look(0.5);
  await look(1.5);
  const ended = once("ended");
  await video.play();
  await ended;
  told.ended = video.currentTime;
  told.heard = video.webkitAudioDecodedByteCount;
  say();
}
watch().catch(fault => { told.error = String(fault); say(); });
</script>"""


def test_a_browser_plays_a_stream_to_its_end_in_its_colours_and_with_its_sound(tmp_path):
    browser()
    folder = tmp_path / "film"
    for name, colour in (("red", (200, 30, 30)), ("blue", (30, 30, 200))):
        (folder / "assets").mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (64, 36), colour).save(folder / f"assets/{name}.png")
    save(folder / "tone.wav", tone(seconds=2, hz=330, level=0.3, channels=2))
    make_sound_project(
        folder,
        {"duration": 1, "image": "assets/red.png", "audioTracks": [track("tone.wav", "music")]},
        {"duration": 1, "image": "assets/blue.png"},
    )
    path, _ = deliver(folder, "hls", tmp_path / "out", width=320, height=180, piece_seconds=1, audio_codec="aac")
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path / "site")
    told = told_by_page(tmp_path / "site", PAGE, tmp_path / "profile")
    if "plays" in told and not all(told["plays"]):
        pytest.skip(f"this Chromium plays no HLS or no H.264 by itself: {told['plays']}")
    assert "error" not in told
    assert told["duration"] == pytest.approx(2, abs=0.03)
    assert told["ended"] == pytest.approx(2, abs=0.03)
    assert told["size"][0] / told["size"][1] == pytest.approx(16 / 9, abs=0.02)
    red, blue = told["pixels"]
    assert red == pytest.approx([200, 30, 30], abs=12)  # the browser makes RGB of it in its own way
    assert blue == pytest.approx([30, 30, 200], abs=12)
    assert told["heard"] > 0
