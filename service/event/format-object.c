/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Format: what an event is about, a file, a socket or something else. See format.c. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "event/internal.h"
#include "event/json.h"
#include "util/array.h"

EventKind event_kind(const struct event *event)
{
        switch ((enum hook) event->hook) {
        case HOOK_SOCKET_ACCEPT:
        case HOOK_SOCKET_BIND:
        case HOOK_SOCKET_CONNECT:
        case HOOK_SOCKET_LISTEN:
        case HOOK_SOCKET_RECVMSG:
        case HOOK_SOCKET_SENDMSG:
        case HOOK_SOCKET_SOCK_RCV_SKB:
                return EVENT_OF_SOCKET;
        case HOOK_BPF:
        case HOOK_BPF_MAP:
        case HOOK_KERNEL_LOAD_DATA:
        case HOOK_KERNEL_READ_FILE:
        case HOOK_MOVE_MOUNT:
        case HOOK_PTRACE_ACCESS_CHECK:
        case HOOK_PTRACE_TRACEME:
        case HOOK_SB_MOUNT:
        case HOOK_SB_PIVOTROOT:
        case HOOK_SB_UMOUNT:
        case HOOK_SYSCTL:
        case HOOK_TASK_KILL:
        case HOOK_TASK_PRCTL:
                return EVENT_OF_KERNEL;
        case HOOK_BPRM_CHECK_SECURITY:
        case HOOK_BPRM_CREDS_FOR_EXEC:
        case HOOK_FILE_MPROTECT:
        case HOOK_FILE_OPEN:
        case HOOK_INODE_COPY_UP:
        case HOOK_INODE_CREATE:
        case HOOK_INODE_LINK:
        case HOOK_INODE_MKDIR:
        case HOOK_INODE_MKNOD:
        case HOOK_INODE_REMOVE_ACL:
        case HOOK_INODE_REMOVEXATTR:
        case HOOK_INODE_RENAME:
        case HOOK_INODE_RMDIR:
        case HOOK_INODE_SET_ACL:
        case HOOK_INODE_SETATTR:
        case HOOK_INODE_SETXATTR:
        case HOOK_INODE_SYMLINK:
        case HOOK_INODE_UNLINK:
        case HOOK_MMAP_FILE:
        case N_HOOKS:
                return EVENT_OF_FILE;
        }
        return EVENT_OF_FILE;
}

/* ---- files ---- */

static int add_access(json_object *object, uint32_t access)
{
        static const struct {
                uint32_t bit;
                const char *name;
        } kinds[] = {
                {ACCESS_READ, "read"},     {ACCESS_WRITE, "write"},   {ACCESS_EXEC, "exec"},
                {ACCESS_CREATE, "create"}, {ACCESS_DELETE, "delete"}, {ACCESS_LINK, "link"},
                {ACCESS_ATTR, "attr"},     {ACCESS_MAP, "map"},
        };
        json_object *list = json_object_new_array();

        if (json_add(object, "access", list) < 0)
                return -ENOMEM;
        for (size_t i = 0; i < ELEMENTS_OF(kinds); i++) {
                json_object *name;

                if (!(access & kinds[i].bit))
                        continue;
                name = json_object_new_string(kinds[i].name);
                if (!name)
                        return -ENOMEM;
                if (json_object_array_add(list, name) != 0) {
                        json_object_put(name);
                        return -ENOMEM;
                }
        }
        return 0;
}

static int add_path(json_object *object, const struct event *event, const char *path)
{
        _cleanup_(freep) char *own = path ? NULL : event_path(event);
        const char *told = path ? path : own;

        if (!told || json_add_text(object, "path", told) < 0 ||
            json_add_device(object, event->device) < 0)
                return -ENOMEM;
        return json_add_number(object, "inode", event->inode);
}

static int add_digest(json_object *object, const struct event *event)
{
        static const char digits[] = "0123456789abcdef";
        char text[sizeof("fsverity:") + 2 * DIGEST_SIZE], *at;

        if (event->digest_algorithm != DIGEST_SHA256 &&
            event->digest_algorithm != DIGEST_VERITY_SHA256)
                return 0;
        at = stpcpy(text, event->digest_algorithm == DIGEST_SHA256 ? "sha256:" : "fsverity:");
        for (size_t i = 0; i < DIGEST_SIZE; i++) {
                *at++ = digits[event->digest[i] >> 4];
                *at++ = digits[event->digest[i] & 15];
        }
        *at = '\0';
        return json_add_word(object, "digest", text);
}

static int add_file(json_object *object, const struct event *event, const char *path)
{
        if (add_path(object, event, path) < 0 || add_access(object, event->access) < 0)
                return -ENOMEM;
        return add_digest(object, event);
}

/* ---- sockets ---- */

static const char *net_operation(uint32_t operation)
{
        static const char *const words[] = {
                [NET_CONNECT] = "connect", [NET_BIND] = "bind", [NET_LISTEN] = "listen",
                [NET_ACCEPT] = "accept",   [NET_SEND] = "send", [NET_RECV] = "recv",
        };
        _Static_assert(ELEMENTS_OF(words) == N_NET_OPERATIONS, "each operation has a word");

        return operation < N_NET_OPERATIONS ? words[operation] : "";
}

static void format_address(const struct event *event, char ret_text[INET6_ADDRSTRLEN])
{
        struct in6_addr address;

        memcpy(&address, event->address, sizeof(address));
        if (IN6_IS_ADDR_V4MAPPED(&address))
                inet_ntop(AF_INET, &address.s6_addr[12], ret_text, INET6_ADDRSTRLEN);
        else
                inet_ntop(AF_INET6, &address, ret_text, INET6_ADDRSTRLEN);
}

static int add_protocol(json_object *object, uint16_t protocol)
{
        switch (protocol) {
        case IPPROTO_TCP:
                return json_add_word(object, "protocol", "tcp");
        case IPPROTO_UDP:
                return json_add_word(object, "protocol", "udp");
        case NET_PROTOCOL_RAW:
                return json_add_word(object, "protocol", "raw");
        case NET_PROTOCOL_PACKET:
                return json_add_word(object, "protocol", "packet");
        default: /* the kernel's numbers, not an enum of ours */
                return json_add_number(object, "protocol", protocol);
        }
}

static int add_socket(json_object *object, const struct event *event)
{
        char address[INET6_ADDRSTRLEN];

        format_address(event, address);
        if (json_add_word(object, "operation", net_operation(event->operation)) < 0 ||
            json_add_word(object, "address", address) < 0 ||
            json_add_number(object, "port", event->port) < 0)
                return -ENOMEM;
        return add_protocol(object, event->protocol);
}

/* ---- the kernel ---- */

static const char *kernel_operation(uint32_t operation)
{
        static const char *const words[] = {
                [KERNEL_PTRACE] = "ptrace", [KERNEL_MODULE] = "module", [KERNEL_BPF] = "bpf",
                [KERNEL_MOUNT] = "mount",   [KERNEL_KEXEC] = "kexec",
        };
        _Static_assert(ELEMENTS_OF(words) == N_KERNEL_OBJECTS, "each operation has a word");

        return operation < N_KERNEL_OBJECTS ? words[operation] : "";
}

static int add_kernel(json_object *object, const struct event *event, const char *path)
{
        if (!(event->flags & (EVENT_SELF | EVENT_FORGED)) &&
            json_add_word(object, "operation", kernel_operation(event->operation)) < 0)
                return -ENOMEM;
        if (event->target && json_add_number(object, "target", event->target) < 0)
                return -ENOMEM;
        return event->path_length ? add_path(object, event, path) : 0;
}

int json_add_object_of(json_object *object, const struct event *event, const char *path)
{
        switch (event_kind(event)) {
        case EVENT_OF_FILE:
                return add_file(object, event, path);
        case EVENT_OF_SOCKET:
                return add_socket(object, event);
        case EVENT_OF_KERNEL:
                return add_kernel(object, event, path);
        }
        return 0;
}
