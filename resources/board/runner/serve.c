/* Keeps a release running: answers on a Unix socket, and proves itself again every few seconds.
 *
 * A request is one sample: each input's raw bytes, in the order and with the shapes of goldens.bin. The answer is,
 * for each output, its length in bytes (8 bytes, little-endian) and its raw bytes. A peer may send many. */
#define _GNU_SOURCE
#include "runner.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define PEERS_MOST 16
#define CHECK_MS 5000

static volatile sig_atomic_t stopping;
static void stop(int number) { (void)number, stopping = 1; }

static int listening(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (!path) return -1;
    if (strlen(path) >= sizeof address.sun_path) die(64, "the socket's path is longer than %zu", sizeof address.sun_path - 1);
    strcpy(address.sun_path, path);
    unlink(path);
    int door = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (door < 0 || bind(door, (struct sockaddr *)&address, sizeof address) || listen(door, PEERS_MOST))
        die(73, "cannot listen on %s", path);
    return door;
}

static int whole(int peer, char *data, size_t size, int sending) {
    while (size) {
        ssize_t moved = sending ? send(peer, data, size, MSG_NOSIGNAL) : recv(peer, data, size, 0);
        if (moved <= 0) return 0;
        data += moved, size -= (size_t)moved;
    }
    return 1;
}

static int answer(Ort *ort, Goldens *goldens, int peer) {
    for (size_t index = 0; index < goldens->count[IN]; index++)
        if (!whole(peer, goldens->tensor[IN][index].buffer, goldens->tensor[IN][index].bytes, 0)) return 0;
    ort_run(ort, goldens);
    for (size_t index = 0; index < goldens->count[OUT]; index++) {
        const Tensor *tensor = &goldens->tensor[OUT][index];
        uint64_t size = tensor->bytes;
        if (!whole(peer, (char *)&size, sizeof size, 1) || !whole(peer, tensor->buffer, size, 1)) return 0;
    }
    return 1;
}

static void tell(const Wish *wish, const char *release, const char *state, long checks, long served, double ms) {
    char fresh[4096];
    snprintf(fresh, sizeof fresh, "%s.new", wish->health);
    FILE *file = fopen(fresh, "w");
    if (!file) return;
    fprintf(file, "state=%s\nrelease=%s\npid=%ld\nchecks=%ld\nserved=%ld\nlast_ms=%.4f\n", state, release, (long)getpid(), checks, served, ms);
    fclose(file);
    rename(fresh, wish->health);
}

int serve(Ort *ort, Goldens *goldens, const Wish *wish, const char *release) {
    struct pollfd doors[PEERS_MOST + 1] = {{.fd = listening(wish->socket), .events = POLLIN}};
    int peers = 0;
    long checks = 0, served = 0;
    double next = 0, ms = 0;
    signal(SIGTERM, stop), signal(SIGINT, stop), signal(SIGPIPE, SIG_IGN);
    while (!stopping) {
        if (now_ms() >= next) {
            ms = run_sample(ort, goldens, (int)(checks++ % goldens->samples), 1);
            next = now_ms() + CHECK_MS;
            tell(wish, release, all_equal(goldens) ? "ok" : "wrong", checks, served, ms);
            if (!all_equal(goldens)) die(65, "the outputs are not the golden ones any more");
        }
        doors[0].events = peers < PEERS_MOST ? POLLIN : 0;
        if (poll(doors, (nfds_t)peers + 1, 500) <= 0) continue;
        for (int index = peers; index > 0; index--) {
            if (!doors[index].revents) continue;
            if (answer(ort, goldens, doors[index].fd)) { served++; continue; }
            close(doors[index].fd);
            doors[index] = doors[peers--];
        }
        if (doors[0].revents & POLLIN) {
            int peer = accept(doors[0].fd, NULL, NULL);
            struct timeval patience = {5, 0};
            if (peer < 0) continue;
            setsockopt(peer, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
            setsockopt(peer, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
            doors[++peers] = (struct pollfd){.fd = peer, .events = POLLIN};
        }
    }
    tell(wish, release, "stopped", checks, served, ms);
    if (wish->socket) unlink(wish->socket);
    return 0;
}
