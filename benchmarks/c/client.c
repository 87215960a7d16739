/* The yardstick for RDP clients: one process, one epoll loop, and no record of anything.

   client ADDRESS PORT AT_ONCE FILE

   Each line of FILE is a source address and a user's name. For each: connect from that address, send a Connection
   Request with the cookie mstshash=<name>, wait for the whole Connection Confirm, close. AT_ONCE of them are under way
   at any time. At the end one line of JSON: visits, answered, seconds, and processor seconds of this process.
*/

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MOST_FILES 65536
#define EVENTS 512
#define PATIENCE_MS 15000

struct one {
    const char *user;
    int sent, got;
    unsigned char answer[64];
};

static struct one under_way[MOST_FILES];
static int poller;
static long answered, ended;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static void begin(const char *source, const char *user, const struct sockaddr_in *to)
{
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in from = {.sin_family = AF_INET};
    struct epoll_event wanted = {.events = EPOLLOUT};

    if (fd < 0 || fd >= MOST_FILES)
        die("socket");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    if (inet_pton(AF_INET, source, &from.sin_addr) != 1 || bind(fd, (struct sockaddr *)&from, sizeof from))
        die(source);
    if (connect(fd, (const struct sockaddr *)to, sizeof *to) && errno != EINPROGRESS)
        die("connect");
    under_way[fd] = (struct one){.user = user};
    wanted.data.fd = fd;
    if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &wanted))
        die("epoll_ctl");
}

static void end(int fd, int well)
{
    close(fd);
    answered += well;
    ended++;
}

static void send_request(int fd)
{
    /* TPKT, X.224 Connection Request, cookie, negotiation request for TLS and CredSSP (MS-RDPBCGR 2.2.1.1) */
    unsigned char packet[320];
    int error = 0, length = 11;
    socklen_t size = sizeof error;
    struct epoll_event wanted = {.events = EPOLLIN, .data.fd = fd};

    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error) {
        end(fd, 0);
        return;
    }
    length += sprintf((char *)packet + length, "Cookie: mstshash=%.200s\r\n", under_way[fd].user);
    memcpy(packet + length, "\x01\x00\x08\x00\x03\x00\x00\x00", 8);
    length += 8;
    memcpy(packet, "\x03\x00\x00\x00\x00\xe0\x00\x00\x00\x00\x00", 11);
    packet[2] = length >> 8;
    packet[3] = length;
    packet[4] = length - 5;
    if (send(fd, packet, length, MSG_NOSIGNAL) != length) {
        end(fd, 0);
        return;
    }
    under_way[fd].sent = 1;
    epoll_ctl(poller, EPOLL_CTL_MOD, fd, &wanted);
}

static void take_answer(int fd)
{
    struct one *one = &under_way[fd];
    int n = recv(fd, one->answer + one->got, sizeof one->answer - one->got, 0);

    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0) {
        end(fd, 0);
        return;
    }
    one->got += n;
    if (one->got >= 11 && one->got >= (one->answer[2] << 8 | one->answer[3]))
        end(fd, one->answer[5] == 0xd0);
}

int main(int argc, char **argv)
{
    struct sockaddr_in to = {.sin_family = AF_INET};
    struct epoll_event ready[EVENTS];
    struct rusage used;
    char (*lines)[2][256];
    long count = 0, room = 1024, started = 0;
    double began;
    FILE *file;

    if (argc != 5 || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1 || !(file = fopen(argv[4], "r")))
        die("client ADDRESS PORT AT_ONCE FILE");
    to.sin_port = htons(atoi(argv[2]));
    lines = malloc(room * sizeof *lines);
    while (lines && fscanf(file, "%255s %255s", lines[count][0], lines[count][1]) == 2)
        if (++count == room)
            lines = realloc(lines, (room *= 2) * sizeof *lines);
    poller = epoll_create1(0);
    if (!lines || poller < 0)
        die("start");
    began = now();
    while (ended < count) {
        int n;
        for (; started < count && started - ended < atoi(argv[3]); started++)
            begin(lines[started][0], lines[started][1], &to);
        n = epoll_wait(poller, ready, EVENTS, PATIENCE_MS);
        if (n == 0)
            break;
        for (int i = 0; i < n; i++) {
            int fd = ready[i].data.fd;
            if (under_way[fd].sent)
                take_answer(fd);
            else
                send_request(fd);
        }
    }
    began = now() - began;
    getrusage(RUSAGE_SELF, &used);
    printf("{\"visits\": %ld, \"answered\": %ld, \"seconds\": %.6f, \"processor\": %.6f}\n", count, answered, began,
           used.ru_utime.tv_sec + used.ru_stime.tv_sec + (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6);
    return 0;
}
