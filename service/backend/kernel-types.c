/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "backend/kernel-types.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Between a type's name and a note of the program's own: "inode___verity" is an inode. */
#define FLAVOR "___"

typedef struct Picker {
        const struct btf *kernel;
        struct btf *types;    /* what was picked; has all names that are wanted */
        uint32_t *picked;     /* per type of the kernel: its number there; 0: not yet */
        uint32_t any_pointer; /* one for all */
} Picker;

/* ---- names ---- */

static int want_name(struct btf *types, const char *name)
{
        const char *flavor = strstr(name, FLAVOR);
        char essential[128];

        if (flavor && (size_t) (flavor - name) < sizeof(essential)) {
                snprintf(essential, sizeof(essential), "%.*s", (int) (flavor - name), name);
                name = essential;
        }
        return btf__add_str(types, name);
}

static int want_names(struct btf *types, const struct btf *programs)
{
        uint32_t n = btf__type_cnt(programs);
        int r = 0;

        for (uint32_t id = 1; id < n && r >= 0; id++) {
                const struct btf_type *type = btf__type_by_id(programs, id);

                if (btf_is_composite(type) || btf_is_any_enum(type) || btf_is_typedef(type))
                        r = want_name(types, btf__name_by_offset(programs, type->name_off));
                if (!btf_is_composite(type))
                        continue;
                for (uint16_t i = 0; i < btf_vlen(type) && r >= 0; i++)
                        r = want_name(types,
                                      btf__name_by_offset(programs, btf_members(type)[i].name_off));
        }
        return r < 0 ? r : 0;
}

/* What has no name is part of something that is wanted. */
static int is_wanted(const Picker *picker, uint32_t name_offset)
{
        const char *name = btf__name_by_offset(picker->kernel, name_offset);

        return !*name || btf__find_str(picker->types, name) >= 0;
}

/* ---- types ---- */

static int pick(Picker *picker, uint32_t id);

static int pick_members(Picker *picker, const struct btf_type *type)
{
        int r = 0;

        for (uint16_t i = 0; i < btf_vlen(type) && r >= 0; i++)
                if (is_wanted(picker, btf_members(type)[i].name_off))
                        r = pick(picker, btf_members(type)[i].type);
        return r;
}

static int add_member(const Picker *picker, const struct btf_type *type, uint16_t i)
{
        const struct btf_member *member = &btf_members(type)[i];

        if (!is_wanted(picker, member->name_off))
                return 0;
        return btf__add_field(picker->types, btf__name_by_offset(picker->kernel, member->name_off),
                              (int) picker->picked[member->type], btf_member_bit_offset(type, i),
                              btf_member_bitfield_size(type, i));
}

/* Members first: fields are added to the last type alone. */
static int pick_composite(Picker *picker, const struct btf_type *type, const char *name)
{
        int r, id;

        r = pick_members(picker, type);
        if (r < 0)
                return r;
        id = btf_is_struct(type) ? btf__add_struct(picker->types, name, type->size)
                                 : btf__add_union(picker->types, name, type->size);
        r = id;
        for (uint16_t i = 0; i < btf_vlen(type) && r >= 0; i++)
                r = add_member(picker, type, i);
        return r < 0 ? r : id;
}

static int pick_array(Picker *picker, const struct btf_type *type)
{
        const struct btf_array *array = btf_array(type);
        int index = pick(picker, array->index_type), element;

        if (index < 0)
                return index;
        element = pick(picker, array->type);
        return element < 0 ? element : btf__add_array(picker->types, index, element, array->nelems);
}

static int pick_new(Picker *picker, const struct btf_type *type)
{
        const char *name = btf__name_by_offset(picker->kernel, type->name_off);
        int target;

        switch (btf_kind(type)) {
        case BTF_KIND_PTR:
                return (int) picker->any_pointer;
        case BTF_KIND_STRUCT:
        case BTF_KIND_UNION:
                return pick_composite(picker, type, name);
        case BTF_KIND_ARRAY:
                return pick_array(picker, type);
        case BTF_KIND_TYPEDEF:
                target = pick(picker, type->type);
                return target < 0 ? target : btf__add_typedef(picker->types, name, target);
        case BTF_KIND_CONST:
        case BTF_KIND_VOLATILE:
        case BTF_KIND_RESTRICT:
        case BTF_KIND_TYPE_TAG:
                return pick(picker, type->type);
        case BTF_KIND_INT:
        case BTF_KIND_FLOAT:
        case BTF_KIND_FWD:
        case BTF_KIND_ENUM:
        case BTF_KIND_ENUM64:
                return btf__add_type(picker->types, picker->kernel, type);
        }
        return 0; /* nothing that has a size */
}

/* Returns the number it has among those that are picked (0: void), or a negative errno. */
static int pick(Picker *picker, uint32_t id)
{
        const struct btf_type *type = btf__type_by_id(picker->kernel, id);
        int r;

        if (!type)
                return -EINVAL;
        if (id == 0 || picker->picked[id])
                return (int) picker->picked[id];
        r = pick_new(picker, type);
        if (r > 0)
                picker->picked[id] = (uint32_t) r;
        return r;
}

static int pick_all(Picker *picker)
{
        uint32_t n = btf__type_cnt(picker->kernel);
        int r = 0;

        for (uint32_t id = 1; id < n && r >= 0; id++) {
                const struct btf_type *type = btf__type_by_id(picker->kernel, id);

                if ((btf_is_composite(type) || btf_is_any_enum(type) || btf_is_typedef(type)) &&
                    type->name_off && is_wanted(picker, type->name_off))
                        r = pick(picker, id);
        }
        return r < 0 ? r : 0;
}

int kernel_types_pick(const struct btf *kernel, const struct btf *programs, struct btf **ret_types)
{
        Picker picker = {.kernel = kernel, .types = btf__new_empty()};
        int r;

        if (!picker.types)
                return -errno;
        picker.picked = calloc(btf__type_cnt(kernel), sizeof(*picker.picked));
        r = picker.picked ? want_names(picker.types, programs) : -ENOMEM;
        if (r == 0)
                r = btf__add_ptr(picker.types, 0);
        picker.any_pointer = (uint32_t) r;
        if (r > 0)
                r = pick_all(&picker);
        free(picker.picked);
        if (r < 0)
                btf__free(picker.types);
        else
                *ret_types = picker.types;
        return r;
}

/* ---- their file ---- */

int kernel_types_open(char ret_path[KERNEL_TYPES_PATH_MAX])
{
        int fd = memfd_create("aegis-kernel-types", MFD_CLOEXEC);

        if (fd < 0)
                return -errno;
        snprintf(ret_path, KERNEL_TYPES_PATH_MAX, "/proc/self/fd/%d", fd);
        return fd;
}

int kernel_types_write(int fd, const struct btf *kernel, const struct btf *programs)
{
        struct btf *types = NULL;
        const void *data;
        uint32_t size = 0;
        int r;

        r = kernel_types_pick(kernel, programs, &types);
        if (r < 0)
                return r;
        data = btf__raw_data(types, &size);
        r = data && pwrite(fd, data, size, 0) == (ssize_t) size ? 0 : -EIO;
        btf__free(types);
        return r;
}
