/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Kernel types: what is picked of a kernel's types is all that programs can ask about, and at the
 * places where the kernel has it; of a kernel made here, and of the one that runs. */
#include <glib.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "backend/kernel-types.h"

static int add_int(struct btf *btf)
{
        return btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
}

/* A struct as the programs have it: its fields are int and at no place that matters. */
static void ask_about(struct btf *programs, const char *type, const char *const *fields)
{
        int number = add_int(programs);

        g_assert_cmpint(btf__add_struct(programs, type, 64), >, 0);
        for (unsigned i = 0; fields[i]; i++)
                g_assert_cmpint(btf__add_field(programs, fields[i], number, i * 32, 0), ==, 0);
}

/* A kernel with, at bytes 8 and 12, two fields of a nameless union in a nameless struct, at bit 131
 * one of three bits, at 24 an array of kept, at 40 one of unkept, and at 48 a pointer to itself. */
static struct btf *make_kernel(void)
{
        struct btf *kernel = btf__new_empty();
        int number = add_int(kernel), kept, constant, inner, outer, array, pointer, unkept;

        unkept = btf__add_struct(kernel, "unkept", 8);
        btf__add_field(kernel, "of_unkept", number, 0, 0);
        btf__add_struct(kernel, "kept", 4);
        btf__add_field(kernel, "value", number, 0, 0);
        kept = btf__add_typedef(kernel, "kept_t", btf__type_cnt(kernel) - 1);
        constant = btf__add_const(kernel, kept);
        array = btf__add_array(kernel, number, constant, 4);
        inner = btf__add_union(kernel, "", 4);
        btf__add_field(kernel, "either", number, 0, 0);
        btf__add_field(kernel, "other", number, 0, 0);
        outer = btf__add_struct(kernel, "", 8);
        btf__add_field(kernel, "first", number, 0, 0);
        btf__add_field(kernel, "", inner, 32, 0);
        pointer = btf__add_ptr(kernel, (int) btf__type_cnt(kernel) + 1);
        btf__add_struct(kernel, "inode", 56);
        btf__add_field(kernel, "ignored", unkept, 0, 0);
        btf__add_field(kernel, "", outer, 64, 0);
        btf__add_field(kernel, "bits", number, 131, 3);
        btf__add_field(kernel, "array", array, 192, 0);
        btf__add_field(kernel, "ignored_too", unkept, 320, 0);
        btf__add_field(kernel, "self", pointer, 384, 0);
        btf__add_struct(kernel, "inode", 4); /* another of that name */
        btf__add_field(kernel, "value", number, 0, 0);
        btf__add_enum(kernel, "reason", 4);
        btf__add_enum_value(kernel, "REASON_A", 3);
        btf__add_enum_value(kernel, "REASON_B", 7);
        return kernel;
}

static struct btf *pick(const struct btf *kernel, const struct btf *programs)
{
        struct btf *types = NULL;

        g_assert_cmpint(kernel_types_pick(kernel, programs, &types), ==, 0);
        return types;
}

static const char *name_of(const struct btf *btf, uint32_t offset)
{
        return btf__name_by_offset(btf, offset);
}

static const struct btf_type *composite(const struct btf *btf, const char *name, unsigned size)
{
        for (uint32_t id = 1; id < btf__type_cnt(btf); id++) {
                const struct btf_type *type = btf__type_by_id(btf, id);

                if (btf_is_composite(type) && type->size == size &&
                    strcmp(name_of(btf, type->name_off), name) == 0)
                        return type;
        }
        return NULL;
}

static int member_number(const struct btf *btf, const struct btf_type *type, const char *name)
{
        for (uint16_t i = 0; i < btf_vlen(type); i++)
                if (strcmp(name_of(btf, btf_members(type)[i].name_off), name) == 0)
                        return i;
        return -1;
}

static const struct btf_type *type_of_member(const struct btf *btf, const struct btf_type *type,
                                             const char *name)
{
        int i = member_number(btf, type, name);

        g_assert_cmpint(i, >=, 0);
        return btf__type_by_id(btf, btf_members(type)[i].type);
}

static void test_what_is_asked_about_is_at_its_place(void)
{
        static const char *const fields[] = {"either", "bits", "array", "self", "value", NULL};
        struct btf *programs = btf__new_empty(), *kernel = make_kernel(), *types;
        const struct btf_type *inode, *outer, *inner, *array;

        ask_about(programs, "inode___of_ours", fields);
        types = pick(kernel, programs);
        inode = composite(types, "inode", 56);
        g_assert_nonnull(inode);
        g_assert_cmpint(btf_vlen(inode), ==, 4);
        g_assert_cmpint(btf_member_bit_offset(inode, 0), ==, 64);
        g_assert_cmpint(btf_member_bit_offset(inode, 1), ==, 131);
        g_assert_cmpint(btf_member_bitfield_size(inode, 1), ==, 3);
        g_assert_cmpint(btf_member_bit_offset(inode, 2), ==, 192);
        g_assert_cmpint(btf_member_bit_offset(inode, 3), ==, 384);
        outer = type_of_member(types, inode, "");
        g_assert_cmpint(btf_vlen(outer), ==, 1);
        g_assert_cmpint(btf_member_bit_offset(outer, 0), ==, 32);
        inner = type_of_member(types, outer, "");
        g_assert_true(btf_is_union(inner));
        g_assert_cmpint(member_number(types, inner, "either"), ==, 0);
        array = type_of_member(types, inode, "array");
        g_assert_cmpint(btf_array(array)->nelems, ==, 4);
        g_assert_cmpint(btf__resolve_size(types, btf_array(array)->type), ==, 4);
        g_assert_true(btf_is_ptr(type_of_member(types, inode, "self")));
        btf__free(types);
        btf__free(kernel);
        btf__free(programs);
}

static void test_all_of_a_name_are_there_and_no_others(void)
{
        static const char *const fields[] = {"value", NULL};
        struct btf *programs = btf__new_empty(), *kernel = make_kernel(), *types;

        ask_about(programs, "inode", fields);
        types = pick(kernel, programs);
        g_assert_cmpint(btf_vlen(composite(types, "inode", 56)), ==, 1); /* what has no name */
        g_assert_cmpint(btf_vlen(composite(types, "inode", 4)), ==, 1);
        g_assert_null(composite(types, "unkept", 8));
        g_assert_null(composite(types, "kept", 4));
        g_assert_cmpint(btf__find_by_name(types, "reason"), <, 0);
        btf__free(types);
        btf__free(kernel);
        btf__free(programs);
}

static void test_values_of_an_enum_are_kept(void)
{
        struct btf *programs = btf__new_empty(), *kernel = make_kernel(), *types;
        const struct btf_type *reason;
        int id;

        btf__add_enum(programs, "reason___then", 4);
        btf__add_enum_value(programs, "REASON_B", 0);
        types = pick(kernel, programs);
        id = btf__find_by_name(types, "reason");
        g_assert_cmpint(id, >, 0);
        reason = btf__type_by_id(types, (uint32_t) id);
        g_assert_cmpint(btf_vlen(reason), ==, 2);
        g_assert_cmpstr(name_of(types, btf_enum(reason)[1].name_off), ==, "REASON_B");
        g_assert_cmpint(btf_enum(reason)[1].val, ==, 7);
        btf__free(types);
        btf__free(kernel);
        btf__free(programs);
}

/* ---- the kernel that runs ---- */

static void assert_equal_members(const struct btf *types, const struct btf_type *type,
                                 const struct btf *kernel, const struct btf_type *original)
{
        for (uint16_t i = 0; i < btf_vlen(type); i++) {
                const char *name = name_of(types, btf_members(type)[i].name_off);
                int there = member_number(kernel, original, name);

                if (!*name)
                        continue;
                g_assert_cmpint(there, >=, 0);
                g_assert_cmpint(btf_member_bit_offset(type, i), ==,
                                btf_member_bit_offset(original, (uint32_t) there));
                g_assert_cmpint(btf__resolve_size(types, btf_members(type)[i].type), ==,
                                btf__resolve_size(kernel, btf_members(original)[there].type));
        }
}

static void test_types_of_the_kernel_that_runs(void)
{
        static const char *const of_task[] = {"tgid", "comm", "cred", "se", "group_leader", NULL};
        static const char *const of_sock[] = {"__sk_common", "sk_protocol", "skc_daddr", NULL};
        struct btf *kernel = btf__load_vmlinux_btf(), *programs, *types;
        unsigned n = 0;

        if (!kernel) {
                g_test_skip("this kernel carries no BTF");
                return;
        }
        programs = btf__new_empty();
        ask_about(programs, "task_struct", of_task);
        ask_about(programs, "sock___one", of_sock);
        types = pick(kernel, programs);
        g_assert_cmpint(btf__type_cnt(types), <, btf__type_cnt(kernel) / 100);
        for (uint32_t id = 1; id < btf__type_cnt(types); id++) {
                const struct btf_type *type = btf__type_by_id(types, id), *original;
                const char *name = name_of(types, type->name_off);

                if (!btf_is_composite(type) || !*name)
                        continue;
                original = composite(kernel, name, type->size);
                g_assert_nonnull(original);
                assert_equal_members(types, type, kernel, original);
                n += strcmp(name, "task_struct") == 0 || strcmp(name, "sock") == 0;
        }
        g_assert_cmpint(n, >=, 2);
        btf__free(types);
        btf__free(programs);
        btf__free(kernel);
}

static void test_their_file_is_read_by_the_library(void)
{
        static const char *const fields[] = {"bits", NULL};
        struct btf *programs = btf__new_empty(), *kernel = make_kernel(), *read;
        char path[KERNEL_TYPES_PATH_MAX];
        int fd = kernel_types_open(path);

        g_assert_cmpint(fd, >=, 0);
        ask_about(programs, "inode", fields);
        g_assert_cmpint(kernel_types_write(fd, kernel, programs), ==, 0);
        read = btf__parse(path, NULL);
        g_assert_nonnull(read);
        g_assert_nonnull(composite(read, "inode", 56));
        btf__free(read);
        btf__free(kernel);
        btf__free(programs);
        close(fd);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/kernel-types/what_is_asked_about_is_at_its_place",
                        test_what_is_asked_about_is_at_its_place);
        g_test_add_func("/kernel-types/all_of_a_name_are_there_and_no_others",
                        test_all_of_a_name_are_there_and_no_others);
        g_test_add_func("/kernel-types/values_of_an_enum_are_kept",
                        test_values_of_an_enum_are_kept);
        g_test_add_func("/kernel-types/types_of_the_kernel_that_runs",
                        test_types_of_the_kernel_that_runs);
        g_test_add_func("/kernel-types/their_file_is_read_by_the_library",
                        test_their_file_is_read_by_the_library);
        return g_test_run();
}
