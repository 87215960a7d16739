/* The yardstick for mock terminal servers: one process, one epoll loop, and no record of anything.

   server ADDRESS PORT INDEX

   Answers each Connection Request with a Connection Confirm that selects CredSSP, and leaves the close to the client. The
   Confirm's source reference names server and connection as the suite's own mock server does: INDEX (1 to 15) in the
   upper four bits, the connection's number in the lower twelve. Runs until it is killed.
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
#include <sys/socket.h>
#include <unistd.h>

#define MOST_FILES 65536
#define EVENTS 512
#define BACKLOG 4096

struct one {
    int got, answered;
    unsigned number;
    unsigned char request[320];
};

static struct one sessions[MOST_FILES];

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void hear(int fd, unsigned index)
{
    struct one *one = &sessions[fd];
    unsigned char confirm[] = {3, 0, 0, 19, 14, 0xd0, 0, 0, 0, 0, 0, 2, 0, 8, 0, 2, 0, 0, 0};
    int n = recv(fd, one->request + one->got, sizeof one->request - one->got, 0);

    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0) {
        close(fd);
        return;
    }
    if (one->answered)
        return;
    one->got += n;
    if (one->got < 4 || one->got < (one->request[2] << 8 | one->request[3]))
        return;
    confirm[8] = index << 4 | (one->number >> 8 & 15);
    confirm[9] = one->number;
    one->answered = 1;
    one->got = 0;
    if (send(fd, confirm, sizeof confirm, MSG_NOSIGNAL) != sizeof confirm)
        close(fd);
}

int main(int argc, char **argv)
{
    struct sockaddr_in here = {.sin_family = AF_INET};
    struct epoll_event ready[EVENTS], wanted = {.events = EPOLLIN};
    int on = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), poller = epoll_create1(0);
    unsigned number = 0;

    if (argc != 4 || inet_pton(AF_INET, argv[1], &here.sin_addr) != 1)
        die("server ADDRESS PORT INDEX");
    here.sin_port = htons(atoi(argv[2]));
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    wanted.data.fd = listener;
    if (bind(listener, (struct sockaddr *)&here, sizeof here) || listen(listener, BACKLOG)
        || epoll_ctl(poller, EPOLL_CTL_ADD, listener, &wanted))
        die("listen");
    for (;;) {
        int n = epoll_wait(poller, ready, EVENTS, -1);
        for (int i = 0; i < n; i++) {
            int fd = ready[i].data.fd;
            if (fd != listener) {
                hear(fd, atoi(argv[3]));
                continue;
            }
            while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
                if (fd >= MOST_FILES) {
                    close(fd);
                    continue;
                }
                setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
                sessions[fd] = (struct one){.number = ++number};
                wanted.data.fd = fd;
                epoll_ctl(poller, EPOLL_CTL_ADD, fd, &wanted);
            }
        }
    }
}
