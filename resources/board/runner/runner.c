/* Runs a release on a board that has no Python: golden samples, then timed runs; or serves it.
 *
 *   trimtab-run FOLDER LIBRARY [--runs N] [--seconds S] [--warm-up N] [--threads N] [--cores LIST]
 *               [--profile PREFIX] [--counters FILES] [--powers FILES] [--serve HEALTH [--socket PATH]]
 *
 * Prints `step FRACTION TEXT` lines on standard error and one JSON object on standard output.
 * Exit: 64 arguments, 65 goldens that make no sense, 66 missing, 69 no usable onnxruntime, 70 the model. */
#define _GNU_SOURCE
#include "runner.h"

#include <math.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void die(int status, const char *format, ...) {
    char text[2048]; /* one line, however many the library said */
    va_list rest;
    va_start(rest, format);
    vsnprintf(text, sizeof text, format, rest);
    va_end(rest);
    for (char *at = text; (at = strchr(at, '\n'));) *at = ' ';
    fprintf(stderr, "%s\n", text);
    exit(status);
}

double now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* One sample through the model; compares the outputs where asked to, and gives milliseconds of the run itself. */
double run_sample(Ort *ort, Goldens *goldens, int sample, int comparing) {
    for (size_t index = 0; index < goldens->count[IN]; index++) {
        Tensor *tensor = &goldens->tensor[IN][index];
        memcpy(tensor->buffer, tensor->data + tensor->bytes * (size_t)sample, tensor->bytes);
    }
    double start = now_ms();
    ort_run(ort, goldens);
    double took = now_ms() - start;
    if (comparing) compare(goldens, sample);
    return took;
}

static void json_text(const char *text) {
    putchar('"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\' || (unsigned char)*text < 32) printf("\\u%04x", (unsigned char)*text);
        else putchar(*text);
    }
    putchar('"');
}

static void json_outputs(const Goldens *goldens) {
    for (size_t index = 0; index < goldens->count[OUT]; index++) {
        const Tensor *t = &goldens->tensor[OUT][index];
        printf("%s{\"name\": ", index ? ", " : "");
        json_text(t->name);
        if (t->broken) printf(", \"worst\": null, \"why\": \"not a number in sample %d\"", t->sample);
        else printf(", \"worst\": %.9g", t->worst);
        printf(", \"exact\": %s, \"sample\": %d}", is_float(t->type) ? "false" : "true", t->sample);
    }
}

/* The most memory of this process; what `exec` inherited from a bigger parent does not count, as in getrusage(). */
static double peak_bytes(void) {
    char line[256];
    double kib = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file) && sscanf(line, "VmHWM: %lf", &kib) != 1) continue;
    if (file) fclose(file);
    return kib * 1024;
}

/* Sum of the numbers in a comma-separated list of files; -1 where none can be read. */
static double readings(const char *files) {
    char list[2048];
    double sum = 0, value;
    int seen = 0;
    snprintf(list, sizeof list, "%s", files ? files : "");
    for (char *name = strtok(list, ","); name; name = strtok(NULL, ",")) {
        FILE *file = fopen(name, "r");
        if (file && fscanf(file, "%lf", &value) == 1) sum += value, seen = 1;
        if (file) fclose(file);
    }
    return seen ? sum : -1;
}

static void choose_cores(const char *list) {
    cpu_set_t set;
    CPU_ZERO(&set);
    for (const char *at = list; *at; at += strcspn(at, ","), at += *at == ',') CPU_SET((unsigned)atoi(at) % CPU_SETSIZE, &set);
    if (sched_setaffinity(0, sizeof set, &set)) die(64, "no such cores: %s", list);
}

/* Writes each run's milliseconds into `ms`; gives how many. `joules` of one, below 0 where nothing measures them. */
static int timed(Ort *ort, Goldens *goldens, const Wish *wish, double *ms, double *joules) {
    double next = 0, watts = 0, power, took = 0;
    int count = 0, powers = 0;
    for (int run = 0; run < wish->warm_up; run++) run_sample(ort, goldens, run % goldens->samples, 0);
    double before = readings(wish->counters), start = now_ms();
    while (count < wish->runs && (wish->seconds <= 0 || took < wish->seconds || !count)) {
        ms[count] = run_sample(ort, goldens, count % goldens->samples, 0);
        count++;
        took = (now_ms() - start) / 1e3;
        if (took < next) continue;
        next = took + 0.2;
        if ((power = readings(wish->powers)) >= 0) watts += power / 1e6, powers++;
        double share = wish->seconds > 0 ? took / wish->seconds : (double)count / wish->runs;
        fprintf(stderr, "step %.4f run %d\n", 0.3 + 0.7 * fmin(share, 1), count);
    }
    double after = readings(wish->counters);
    *joules = before >= 0 && after >= before ? (after - before) / 1e6 / count : powers ? watts / powers * took / count : -1;
    return count;
}

static Wish wishes(int count, char **words) {
    Wish wish = {.runs = 50, .warm_up = 5, .threads = 1};
    if (count < 3 || count % 2 == 0) die(64, "usage: %s FOLDER LIBRARY [--runs N] [--threads N] ...", words[0]);
    for (int index = 3; index + 1 < count; index += 2) {
        const char *key = words[index], *value = words[index + 1];
        if (!strcmp(key, "--runs")) wish.runs = atoi(value);
        else if (!strcmp(key, "--seconds")) wish.seconds = atof(value);
        else if (!strcmp(key, "--warm-up")) wish.warm_up = atoi(value);
        else if (!strcmp(key, "--threads")) wish.threads = atoi(value);
        else if (!strcmp(key, "--cores")) choose_cores(value);
        else if (!strcmp(key, "--profile")) wish.profile = value;
        else if (!strcmp(key, "--counters")) wish.counters = value;
        else if (!strcmp(key, "--powers")) wish.powers = value;
        else if (!strcmp(key, "--serve")) wish.health = value;
        else if (!strcmp(key, "--socket")) wish.socket = value;
        else die(64, "unknown argument %s", key);
    }
    wish.runs = wish.runs > 0 ? wish.runs : 1;
    return wish;
}

int main(int argc, char **argv) {
    static Goldens goldens;
    char path[4096];
    Ort ort = {0};
    Wish wish = wishes(argc, argv);
    snprintf(path, sizeof path, "%s/goldens.bin", argv[1]);
    goldens_open(&goldens, path);
    ort_open(&ort, argv[2]);
    snprintf(path, sizeof path, "%s/model.onnx", argv[1]);
    double start = now_ms(), first = 0, joules, *ms = calloc((size_t)wish.runs, sizeof *ms);
    if (!ms) die(70, "no memory for %d times", wish.runs);
    ort_load(&ort, path, wish.threads, wish.profile);
    double load = now_ms() - start;
    ort_bind(&ort, &goldens);
    for (int sample = 0; sample < goldens.samples; sample++) {
        double took = run_sample(&ort, &goldens, sample, 1), share = (sample + 1.0) / goldens.samples;
        if (!sample) first = took;
        if (!wish.health) fprintf(stderr, "step %.4f golden sample %d of %d\n", 0.3 * share, sample + 1, goldens.samples);
    }
    if (wish.health) return serve(&ort, &goldens, &wish, argv[1]);
    int count = timed(&ort, &goldens, &wish, ms, &joules);
    printf("{\"ort\": \"%s\", \"python\": \"\", \"samples\": %d, \"tolerance\": %.9g, \"outputs\": [", ort.version,
           goldens.samples, goldens.tolerance);
    json_outputs(&goldens);
    printf("], \"load_ms\": %.4f, \"first_ms\": %.4f, \"peak_bytes\": %.0f, ", load, first, peak_bytes());
    if (joules >= 0) printf("\"joules\": %.9g, ", joules);
    printf("\"times_ms\": [");
    for (int run = 0; run < count; run++) printf("%s%.4f", run ? ", " : "", ms[run]);
    printf("]}\n");
    ort_close(&ort);
    return 0;
}
