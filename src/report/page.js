/* Draws the charts of the report from the numbers in it, and their tables. Text from the data never becomes markup. */
"use strict";
(function () {
    const data = JSON.parse(document.getElementById("data").textContent);
    const word = data.simulated ? "Simulated" : "Measured";
    const hasLibrary = typeof Chart !== "undefined";
    if (!hasLibrary) document.body.classList.add("no-charts");

    /* ---- numbers ---- */

    const superscripts = "⁰¹²³⁴⁵⁶⁷⁸⁹";
    function digits(value, count) {
        if (value === null || !isFinite(value)) return "–";
        return String(Number(value.toPrecision(count || 4)));
    }
    const percent = (share) => (share === null ? "–" : digits(share * 100, 3) + " %");
    const ms = (value) => digits(value) + " ms";
    function large(value) {
        for (const [scale, letter] of [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]])
            if (value >= scale) return digits(value / scale, 3) + " " + letter;
        return digits(value, 3);
    }
    function power(value) {
        const exponent = Math.round(Math.log10(value));
        if (exponent >= -3 && exponent <= 3) return digits(value);
        return "10" + (exponent < 0 ? "⁻" : "") + String(Math.abs(exponent)).replace(/\d/g, (d) => superscripts[d]);
    }
    const describe = (kernel, values) => kernel.params.map((name, i) => name + "=" + values[i]).join(", ");
    const columns = (kernel, row, from) => (row.length > from ? row.slice(from) : kernel.params.map(() => null));

    /* ---- colours, which follow the page's ---- */

    function palette() {
        const style = getComputedStyle(document.documentElement);
        const get = (name) => style.getPropertyValue("--" + name).trim();
        const named = {};
        for (const name of ["ink", "muted", "line", "grid", "first", "second", "band", "paper"]) named[name] = get(name);
        return named;
    }

    /* ---- axes ---- */

    function bounds(values, room) {
        let least = Infinity, most = 0;
        for (const value of values)
            if (value > 0) {
                least = Math.min(least, value);
                most = Math.max(most, value);
            }
        return most > 0 ? [least / room, most * room] : [0.1, 1];
    }

    /* Ticks at powers of ten; within fewer than two of them, at 2 and 5 as well. */
    function logAxis(colours, title, range, format) {
        const few = range[1] / range[0] < 150;
        return {
            type: "logarithmic", min: range[0], max: range[1], grid: { color: colours.grid, tickLength: 4 },
            border: { color: colours.line }, title: { display: true, text: title, color: colours.muted },
            afterBuildTicks(axis) {
                axis.ticks = [];
                for (let e = Math.floor(Math.log10(range[0])); e <= Math.log10(range[1]); e++)
                    for (const m of few ? [1, 2, 5] : [1]) {
                        const value = Number(m + "e" + e);
                        if (value >= range[0] && value <= range[1]) axis.ticks.push({ value, major: m === 1 });
                    }
            },
            ticks: { color: colours.muted, autoSkip: true, maxRotation: 0, callback: format },
        };
    }
    function linearAxis(colours, title, more) {
        return Object.assign({
            type: "linear", grid: { color: colours.grid, tickLength: 4 }, border: { color: colours.line },
            title: { display: true, text: title, color: colours.muted }, ticks: { color: colours.muted, maxRotation: 0 },
        }, more);
    }

    /* ---- data sets ---- */

    /* Many points are drawn smaller and lighter, so that where they crowd can be seen. */
    function points(colours, colour, label, list, more) {
        const many = list.length > 400;
        return Object.assign({
            type: "scatter", label, data: list, parsing: false, backgroundColor: colour + (many ? "88" : "b0"),
            borderColor: colour, borderWidth: many ? 0 : 1, pointRadius: many ? 2 : 3, pointHoverRadius: 5,
        }, more);
    }
    const edge = (label, list, more) => Object.assign({
        type: "line", label, data: list, parsing: false, pointRadius: 0, pointHitRadius: 0, borderWidth: 0, fill: false, auxiliary: true,
    }, more);
    const line = (colour, list, more) => edge("", list, Object.assign({ borderColor: colour, borderWidth: 1 }, more));
    const across = (range, value) => range.map((x) => ({ x, y: value(x) }));

    function base(colours, x, y, legend, datasets, tooltip) {
        return {
            data: { datasets },
            options: {
                animation: false, responsive: true, maintainAspectRatio: false, normalized: true,
                interaction: { mode: "nearest", intersect: true }, scales: { x, y },
                layout: { padding: { right: 8 } },
                plugins: {
                    legend: {
                        display: legend, align: "start",
                        labels: { color: colours.muted, usePointStyle: true, boxWidth: 8, boxHeight: 8,
                                  filter: (item, all) => item.text !== "" && !all.datasets[item.datasetIndex].auxiliary },
                        onClick: null,
                    },
                    tooltip: {
                        displayColors: false, backgroundColor: colours.ink, titleColor: colours.paper, bodyColor: colours.paper,
                        filter: (item) => !item.dataset.auxiliary, callbacks: tooltip,
                    },
                },
            },
        };
    }
    const lines = (write) => ({ title: () => "", label: (item) => write(item.raw, item) });

    /* ---- the charts: what is drawn, and the rows of the table below ---- */

    const charts = {
        accuracy(kernel, c) {
            const list = kernel.tests.map((t) => ({ x: t[0], y: t[1], row: t }));
            const range = bounds(kernel.tests.flatMap((t) => [t[0], t[1]]), 1.3);
            return base(c, logAxis(c, word + " latency (ms)", range, power), logAxis(c, "Predicted latency (ms)", range, power), false, [
                points(c, c.first, "test row", list),
                line(c.muted, across(range, (x) => x)),
                edge("", across(range, (x) => x * 0.9)),
                edge("", across(range, (x) => x * 1.1), { fill: "-1", backgroundColor: c.band }),
            ], lines((p) => [describe(kernel, columns(kernel, p.row, 3)), word.toLowerCase() + " " + ms(p.x), "predicted " + ms(p.y),
                             "error " + percent((p.y - p.x) / p.x)]));
        },
        sizes(kernel, c) {
            const known = kernel.tests.filter((t) => t[2] !== null);
            const list = known.map((t) => ({ x: t[2], error: (t[1] / t[0] - 1) * 100, row: t }));
            const range = bounds(known.map((t) => t[2]), 1.3);
            const limit = Math.min(105, list.reduce((most, p) => Math.max(most, Math.abs(p.error) * 1.1), 15));
            for (const p of list) p.y = Math.min(p.error, 100);
            const title = kernel.flops ? "FLOPs" : "Elements read or computed, whichever are more";
            return base(c, logAxis(c, title, range, large), linearAxis(c, "Error of the prediction (%)", { min: -limit, max: limit, ticks: { color: c.muted, includeBounds: false } }), false, [
                points(c, c.first, "test row", list.filter((p) => p.error <= 100)),
                points(c, c.second, "more than 100 % too slow", list.filter((p) => p.error > 100), { pointStyle: "triangle", pointRadius: 5 }),
                line(c.muted, across(range, () => 0)),
                edge("", across(range, () => -10)),
                edge("", across(range, () => 10), { fill: "-1", backgroundColor: c.band }),
            ], lines((p) => [describe(kernel, columns(kernel, p.row, 3)), "error " + digits(p.error, 3) + " %", word.toLowerCase() + " " + ms(p.row[0]),
                             "predicted " + ms(p.row[1])]));
        },
        staircase(kernel, c) {
            const steps = kernel.sweep.steps, all = steps.filter((s) => s[2] !== null && s[3] !== null);
            const near = (exact) => kernel.sweep.near.filter((n) => (n[2] === 1) === exact).map((n) => ({ x: n[0], y: n[1], row: n }));
            const ends = { min: steps[0][0], max: steps[steps.length - 1][0], ticks: { color: c.muted, maxRotation: 0, includeBounds: false } };
            return base(c, linearAxis(c, kernel.sweep.param, ends), linearAxis(c, "Latency (ms)", { beginAtZero: true }), true, [
                points(c, c.second, word + ", on the line", near(true), { pointRadius: 5 }),
                points(c, c.second, word + ", next to it", near(false), { backgroundColor: "transparent", borderWidth: 1.25, pointRadius: 4 }),
                Object.assign(line(c.first, steps.map((s) => ({ x: s[0], y: s[1], row: s })), { borderWidth: 1.75, pointHitRadius: 6 }),
                              { label: "Predicted", auxiliary: false, pointStyle: "line" }),
                edge("", all.map((s) => ({ x: s[0], y: s[2] }))),
                edge("90 % interval", all.map((s) => ({ x: s[0], y: s[3] })),
                     { fill: "-1", backgroundColor: c.band, auxiliary: false, pointStyle: "rect" }),
            ], lines((p, item) => item.datasetIndex < 2
                ? [describe(kernel, p.row.slice(3)), word.toLowerCase() + " " + ms(p.y)]
                : [kernel.sweep.param + " " + p.x, "predicted " + ms(p.y)].concat(p.row && p.row[2] !== null ? ["90 % interval " + digits(p.row[2]) + " to " + ms(p.row[3])] : [])));
        },
        spread(kernel, c) {
            const known = kernel.labels.filter((l) => l[1] !== null);
            const list = known.map((l) => ({ x: l[0], y: l[1] * 100, row: l }));
            const range = bounds(known.map((l) => l[0]), 1.3), target = data.targetError * 100;
            const errors = bounds(list.map((p) => p.y).concat(target), 1.5);
            errors[0] = Math.max(errors[0], 0.01);
            for (const p of list) p.y = Math.max(p.y, errors[0]); /* no difference at all has no place on this axis */
            return base(c, logAxis(c, word + " latency (ms)", range, power), logAxis(c, "Standard error (%)", errors, power), false, [
                points(c, c.first, "label", list),
                line(c.second, across(range, () => target), { borderDash: [5, 4], order: -1 }),
            ], lines((p) => [describe(kernel, p.row.slice(3)), ms(p.x), "standard error " + percent(p.row[1])]));
        },
        passes(kernel, c) {
            const known = kernel.labels.filter((l) => l[2] !== null);
            const list = known.map((l) => ({ x: l[0], y: (l[2] / l[0] - 1) * 100, row: l }));
            const range = bounds(known.map((l) => l[0]), 1.3);
            const most = list.reduce((most, p) => Math.max(most, Math.abs(p.y) * 1.1), 11);
            return base(c, logAxis(c, "First latency (ms)", range, power),
                        linearAxis(c, "Second against first (%)", { suggestedMin: -most, suggestedMax: most }), false, [
                points(c, c.first, "pair", list, { pointRadius: 4 }),
                line(c.muted, across(range, () => 0)),
                edge("", across(range, () => -10)), edge("", across(range, () => 10), { fill: "-1", backgroundColor: c.band }),
                edge("", across(range, () => -5)), edge("", across(range, () => 5), { fill: "-1", backgroundColor: c.band }),
            ], lines((p) => [describe(kernel, p.row.slice(3)), "first " + ms(p.x), "second " + ms(p.row[2]), "difference " + digits(p.y, 3) + " %"]));
        },
        marks(kernel, c) {
            const shown = kernel.marks.filter((m) => m[1] > 0);
            const bar = (label, colour, get) => ({ type: "bar", label, data: shown.map(get), backgroundColor: colour, stack: "s", maxBarThickness: 28 });
            const config = base(c, linearAxis(c, "Configurations", { stacked: true, beginAtZero: true, ticks: { color: c.muted, precision: 0, maxRotation: 0 } }),
                { type: "category", stacked: true, grid: { display: false }, border: { color: c.line }, ticks: { color: c.muted } }, true, [
                    bar(word, c.first, (m) => m[2]),
                    bar("Not " + word.toLowerCase(), c.line, (m) => m[1] - m[2]),
                ], { label: (item) => item.dataset.label + ": " + item.raw });
            config.data.labels = shown.map((m) => m[0]);
            config.options.indexAxis = "y";
            config.options.plugins.legend.labels.usePointStyle = false;
            return config;
        },
        iterations(kernel, c) {
            const tested = kernel.marks.filter((m) => m[3] > 0);
            const course = (label, colour, column, style) => ({
                type: "line", label, data: tested.map((m) => m[column] * 100), borderColor: colour, backgroundColor: colour,
                borderWidth: 2, pointRadius: 4, pointStyle: style,
            });
            const sets = [course("Within 10 %", c.first, 4, "circle"), course("RMSPE", c.second, 5, "rect")];
            if (kernel.ceiling10 !== null)
                sets.push({ type: "line", label: "Ceiling", data: tested.map(() => kernel.ceiling10 * 100), borderColor: c.muted,
                            borderWidth: 1, borderDash: [5, 4], pointRadius: 0, pointStyle: "line" });
            const config = base(c, { type: "category", offset: true, grid: { display: false }, border: { color: c.line }, ticks: { color: c.muted } },
                linearAxis(c, "%", { beginAtZero: true, suggestedMax: 100 }), true, sets,
                { label: (item) => item.dataset.label + ": " + digits(item.raw, 3) + " %" });
            config.data.labels = tested.map((m) => m[0]);
            return config;
        },
    };

    const tables = {
        accuracy: (k) => [k.params.concat(word + " (ms)", "Predicted (ms)", "Error"),
            k.tests.map((t) => columns(k, t, 3).concat(digits(t[0]), digits(t[1]), percent(t[1] / t[0] - 1)))],
        sizes: (k) => [[k.flops ? "FLOPs" : "Elements", word + " (ms)", "Error"],
            k.tests.filter((t) => t[2] !== null).sort((a, b) => a[2] - b[2]).map((t) => [large(t[2]), digits(t[0]), percent(t[1] / t[0] - 1)])],
        staircase: (k) => [[k.sweep.param, "Predicted (ms)", "Lower (ms)", "Upper (ms)", word + " (ms)"],
            k.sweep.steps.map((s) => [s[0], digits(s[1]), digits(s[2]), digits(s[3]),
                k.sweep.near.filter((n) => n[2] === 1 && n[0] === s[0]).map((n) => digits(n[1])).join(", ")])],
        spread: (k) => [k.params.concat(word + " (ms)", "Standard error"),
            k.labels.filter((l) => l[1] !== null).map((l) => l.slice(3).concat(digits(l[0]), percent(l[1])))],
        passes: (k) => [k.params.concat("First (ms)", "Second (ms)", "Difference"),
            k.labels.filter((l) => l[2] !== null).map((l) => l.slice(3).concat(digits(l[0]), digits(l[2]), percent(l[2] / l[0] - 1)))],
        marks: (k) => [["Mark", "Sampled", word], k.marks.filter((m) => m[1] > 0).map((m) => [m[0], m[1], m[2]])],
        iterations: (k) => [["Mark", "Test rows", "Within 10 %", "RMSPE"],
            k.marks.filter((m) => m[3] > 0).map((m) => [m[0], m[3], percent(m[4]), percent(m[5])])],
    };

    /* ---- drawing what comes into sight, and everything before printing ---- */

    const figures = Array.from(document.querySelectorAll("figure[data-chart]"));
    const kernelOf = (figure) => data.kernels[Number(figure.dataset.kernel)];
    const drawn = new Map();

    function draw(figure) {
        if (!hasLibrary || drawn.has(figure)) return;
        const config = charts[figure.dataset.chart](kernelOf(figure), palette());
        drawn.set(figure, new Chart(figure.querySelector("canvas"), config));
        figure.dataset.drawn = "yes";
    }
    function drawAnew() {
        for (const [figure, chart] of Array.from(drawn)) {
            chart.destroy();
            drawn.delete(figure);
            draw(figure);
        }
    }
    if (hasLibrary) {
        Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
        Chart.defaults.font.size = 12;
        const sight = new IntersectionObserver((entries) => {
            for (const entry of entries)
                if (entry.isIntersecting) {
                    sight.unobserve(entry.target);
                    draw(entry.target);
                }
        }, { rootMargin: "600px 0px" });
        for (const figure of figures)
            if (figure.getBoundingClientRect().top < innerHeight + 600) draw(figure);
            else sight.observe(figure);
        matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAnew);
        matchMedia("print").addEventListener("change", drawAnew);
        window.addEventListener("beforeprint", () => figures.forEach(draw));
    }

    /* ---- tables ---- */

    function fill(figure, details) {
        const [heads, rows] = tables[figure.dataset.chart](kernelOf(figure));
        const box = document.createElement("div"), table = document.createElement("table");
        const addRow = (section, values, tag) => {
            const row = section.insertRow();
            for (const value of values) {
                const cell = document.createElement(tag);
                cell.textContent = value === null ? "–" : String(value);
                if (tag === "th") cell.scope = "col";
                cell.className = "n";
                row.appendChild(cell);
            }
        };
        addRow(table.createTHead(), heads, "th");
        const body = table.createTBody();
        for (const row of rows) addRow(body, row, "td");
        box.tabIndex = 0;
        box.appendChild(table);
        details.appendChild(box);
    }
    for (const figure of figures) {
        const details = figure.querySelector("details");
        details.addEventListener("toggle", () => {
            if (details.open && !details.querySelector("table")) fill(figure, details);
        });
        if (!hasLibrary) details.open = true;
    }
    document.documentElement.dataset.ready = "yes";
})();
