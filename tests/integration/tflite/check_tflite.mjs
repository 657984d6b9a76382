/*
 * What TensorFlow Lite itself (LiteRT, compiled to WebAssembly) computes with the files that we write.
 *
 * Usage: node check_tflite.mjs PACKAGES FOLDER
 * PACKAGES holds node_modules/@litertjs/core; FOLDER what `test_tflite write FOLDER` left: NAME.tflite, its inputs
 * NAME.in0, NAME.in1 ... and the expected outputs NAME.out0 ... as raw little-endian floats.
 */
import fs from 'node:fs';
import {createRequire} from 'node:module';
import path from 'node:path';
import {pathToFileURL} from 'node:url';
import vm from 'node:vm';

const TOLERANCE = 1e-4; // of the range of an output

/* The package is made for browsers. It needs no more of one than these. */
async function loadRuntime(packages) {
    const folder = path.join(packages, 'node_modules', '@litertjs', 'core');
    const wasm = path.join(folder, 'wasm');
    globalThis.self = globalThis;
    globalThis.require = createRequire(path.join(wasm, 'shim.js'));
    globalThis.__filename = path.join(wasm, 'shim.js');
    globalThis.__dirname = wasm;
    globalThis.importScripts = (file) => vm.runInThisContext(fs.readFileSync(file, 'utf8'), {filename: file});
    const quiet = () => {};
    globalThis.Module = {locateFile: (name) => path.join(wasm, name), print: quiet, printErr: quiet};
    console.warn = console.error = quiet; // it misses a graphics card
    const runtime = await import(pathToFileURL(path.join(folder, 'dist', 'index.js')));
    await runtime.loadLiteRt(path.join(wasm, 'litert_wasm_compat_internal.js'));
    return runtime;
}

function readFloats(file) {
    const bytes = fs.readFileSync(file);
    return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

/* The largest difference, relative to the range of what is expected. */
function errorOf(found, expected) {
    let low = Infinity, high = -Infinity, worst = 0;
    for (let i = 0; i < expected.length; i++) {
        low = Math.min(low, expected[i]);
        high = Math.max(high, expected[i]);
        const difference = Math.abs(found[i] - expected[i]);
        worst = difference <= worst ? worst : difference; // NaN stays
    }
    return worst / (high - low || Math.abs(high) || 1);
}

/* Runs one model; returns its worst error, or throws what is wrong with it. */
async function check(runtime, stem) {
    const model = await runtime.loadAndCompile(new Uint8Array(fs.readFileSync(`${stem}.tflite`)), {accelerator: 'wasm'});
    const inputs = model.getInputDetails().map(({shape}, i) =>
        runtime.Tensor.fromTypedArray(readFloats(`${stem}.in${i}`), Array.from(shape)));
    const outputs = await model.run(inputs);
    let worst = 0;
    for (const [i, output] of outputs.entries()) {
        const expected = readFloats(`${stem}.out${i}`), found = output.toTypedArray();
        if (found.length !== expected.length)
            throw new Error(`output ${i} has ${found.length} values instead of ${expected.length}`);
        const error = errorOf(found, expected);
        if (!(error <= TOLERANCE)) throw new Error(`output ${i} is off by ${error} of its range`);
        worst = Math.max(worst, error);
    }
    if (fs.existsSync(`${stem}.out${outputs.length}`)) throw new Error(`it has only ${outputs.length} outputs`);
    for (const tensor of [...inputs, ...outputs]) tensor.delete();
    model.delete();
    return worst;
}

const [packages, folder] = process.argv.slice(2);
const runtime = await loadRuntime(packages);
const stems = fs.readdirSync(folder).filter((name) => name.endsWith('.tflite')).sort()
    .map((name) => path.join(folder, name.slice(0, -'.tflite'.length)));
let failed = 0, worst = 0;
for (const stem of stems) {
    try {
        worst = Math.max(worst, await check(runtime, stem));
    } catch (error) {
        console.log(`FAILED: ${path.basename(stem)}: ${error.message}`);
        failed++;
    }
}
console.log(`${stems.length - failed} of ${stems.length} models agree, the worst to ${worst.toExponential(1)} of its range`);
process.exit(failed || stems.length < 60 ? 1 : 0);
