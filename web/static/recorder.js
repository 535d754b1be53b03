// Speech from the microphone: a recording for the shop, or the words of the browser's own recogniser. Shared by the pages,
// which load it when somebody wants to speak, and by the embedded search, which contains it.
"use strict";

const recorder = (() => {
  const RATE = 16_000;          // samples a second of a recording: what recognisers of speech use
  const LONGEST = 10;           // seconds of a recording
  const PAUSE = 1.2;            // seconds of silence after speech that end it
  const WAIT = 6;               // seconds without any speech that end it
  const SPEECH = 0.15;          // seconds of speech, so that a knock on the table does not count as such
  const QUIETEST = 0.008;       // root mean square of a block that may be speech
  const ABOVE_NOISE = 3;        // times the noise of the room
  const SHORTEST = 0.3;         // seconds of a recording that may hold a word
  const SILENT = 0.0001;        // largest sample of a microphone that is switched off
  const TAPS = 16;              // zero crossings of the low-pass filter on either side

  class Failure extends Error {
    constructor(word) {
      super(word);
      this.word = word;         // the key of the text that a shopper reads
    }
  }

  const REFUSALS = {
    NotAllowedError: "voice_denied", SecurityError: "voice_denied", NotFoundError: "voice_no_microphone", NotReadableError: "voice_no_microphone", OverconstrainedError: "voice_no_microphone",
    "not-allowed": "voice_denied", "service-not-allowed": "voice_denied", "audio-capture": "voice_no_microphone", "no-speech": "voice_nothing",
  };
  const failure = (name) => new Failure(REFUSALS[name] ?? "voice_failed");

  // ---- a recording

  // Decides when somebody has finished speaking, from the level of each block.
  class SpeechEnd {
    constructor() {
      Object.assign(this, { noise: null, spoken: 0, pause: 0, passed: 0 });
    }

    ended(level, seconds) {
      this.noise = this.noise === null || level < this.noise ? Math.min(level, 0.05) : this.noise * (1 + seconds / 4);   // noise that grows is learnt slowly
      const speaks = level > Math.max(QUIETEST, this.noise * ABOVE_NOISE);
      this.passed += seconds;
      if (speaks) this.spoken += seconds;
      this.pause = speaks ? 0 : this.pause + seconds;
      if (this.spoken < SPEECH) return this.passed >= WAIT;
      return this.pause >= PAUSE || this.passed >= LONGEST;
    }
  }

  // Start a recording. `worklet` is the address of recorder_worklet.js; `started` is called when the microphone is open, and
  // `level` with the loudness of each block. Returns `finished`, a promise of a WAV file (null once cancelled), and the ways to end it.
  function record({ worklet, started, level }) {
    const context = new AudioContext();         // at once: a phone allows sound only in answer to a touch
    const blocks = [], end = new SpeechEnd();
    let stream = null, timer = 0, loudest = 0, done = false, settle = null;
    const asked = new Promise((resolve) => { settle = resolve; });
    const finish = (wanted) => {
      done = true;
      settle(wanted);
    };

    const seconds = () => (blocks[0]?.length ?? 0) / context.sampleRate;     // of a block

    function take({ data: block }) {
      if (done) return;
      let sum = 0;
      for (const sample of block) {
        sum += sample * sample;
        loudest = Math.max(loudest, Math.abs(sample));
      }
      const loudness = Math.sqrt(sum / block.length);
      blocks.push(block);
      level(loudness);
      if (end.ended(loudness, seconds()) || blocks.length * seconds() >= LONGEST) finish(true);
    }

    async function run() {
      try {
        stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true } });
        if (done) return null;                  // cancelled while the browser asked
        stream.getAudioTracks()[0].addEventListener("ended", () => finish(true));
        await context.audioWorklet.addModule(worklet);
        await context.resume();
        const node = new AudioWorkletNode(context, "windowshop-recorder", { channelCount: 1, channelCountMode: "explicit" });
        node.port.onmessage = take;
        context.createMediaStreamSource(stream).connect(node).connect(context.destination);   // which stays silent
        started();
        timer = setTimeout(() => finish(true), 1000 * (LONGEST + 1));   // no sound comes at all: a device that hangs
        if (!await asked) return null;
        if (blocks.length * seconds() < SHORTEST) throw new Failure("voice_nothing");
        if (loudest < SILENT) throw new Failure("voice_silent");
        return wavOf(resampled(joined(blocks), context.sampleRate));
      } catch (error) {
        throw error instanceof Failure ? error : failure(error.name);
      } finally {
        clearTimeout(timer);
        for (const track of stream?.getTracks() ?? []) track.stop();
        context.close();
      }
    }

    return { finished: run(), stop: () => finish(true), cancel: () => finish(false) };
  }

  function joined(blocks) {
    const samples = new Float32Array(blocks.reduce((sum, block) => sum + block.length, 0));
    let at = 0;
    for (const block of blocks) {
      samples.set(block, at);
      at += block.length;
    }
    return samples;
  }

  // Samples at RATE, through a low-pass filter (windowed sinc) so that nothing above its half is folded down.
  function resampled(samples, rate) {
    const step = rate / RATE, cutoff = Math.min(1, 1 / step), reach = TAPS / cutoff;
    const made = new Float32Array(Math.floor(samples.length / step));
    for (let at = 0; at < made.length; at++) {
      const middle = at * step;
      let sum = 0, weights = 0;
      for (let tap = Math.max(0, Math.ceil(middle - reach)); tap <= Math.min(samples.length - 1, middle + reach); tap++) {
        const x = (tap - middle) * cutoff;
        const weight = (x ? Math.sin(Math.PI * x) / (Math.PI * x) : 1) * (0.5 + 0.5 * Math.cos(Math.PI * x / TAPS));
        sum += samples[tap] * weight;
        weights += weight;
      }
      made[at] = sum / weights;
    }
    return made;
  }

  // A WAV file: mono, 16 bits.
  function wavOf(samples) {
    const view = new DataView(new ArrayBuffer(44 + 2 * samples.length));
    const text = (at, letters) => [...letters].forEach((letter, index) => view.setUint8(at + index, letter.charCodeAt(0)));
    text(0, "RIFF");
    view.setUint32(4, 36 + 2 * samples.length, true);
    text(8, "WAVEfmt ");
    view.setUint32(16, 16, true);               // bytes of the format: PCM, one channel, rate, bytes a second, bytes and bits a sample
    view.setUint16(20, 1, true);
    view.setUint16(22, 1, true);
    view.setUint32(24, RATE, true);
    view.setUint32(28, 2 * RATE, true);
    view.setUint16(32, 2, true);
    view.setUint16(34, 16, true);
    text(36, "data");
    view.setUint32(40, 2 * samples.length, true);
    samples.forEach((sample, at) => view.setInt16(44 + 2 * at, Math.round(Math.max(-1, Math.min(1, sample)) * 32_767), true));
    return new Blob([view], { type: "audio/wav" });
  }

  // ---- the browser's own recogniser

  // Start it. `interim` is called with the words so far. `finished` is a promise of { text, confidence, alternatives }.
  function recognise({ language, started, interim }) {
    const recogniser = new (globalThis.SpeechRecognition ?? globalThis.webkitSpeechRecognition)();
    Object.assign(recogniser, { lang: language, interimResults: true, maxAlternatives: 4 });
    let cancelled = false;
    const finished = new Promise((resolve, reject) => {
      let readings = [];
      recogniser.onstart = started;
      recogniser.onresult = ({ results }) => {
        const parts = [...results];
        interim(parts.map((part) => part[0].transcript).join(" "));
        if (parts.every((part) => part.isFinal)) readings = parts.length === 1 ? [...parts[0]] : [{ transcript: parts.map((part) => part[0].transcript).join(" "), confidence: parts[0][0].confidence }];
      };
      recogniser.onerror = ({ error }) => (cancelled ? resolve(null) : reject(failure(error)));
      recogniser.onend = () => {
        const [best, ...others] = readings;
        if (cancelled) resolve(null);
        else resolve({ text: best?.transcript.trim() ?? "", confidence: best?.confidence ?? 0, alternatives: others.map((other) => other.transcript.trim()) });
      };
    });
    recogniser.start();
    return {
      finished,
      stop: () => recogniser.stop(),
      cancel: () => {
        cancelled = true;
        recogniser.abort();
      },
    };
  }

  return { Failure, record, recognise };
})();
