/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hardening: read from the programs as they were built, and from the commands that built them.
 * Arguments: the programs, then meson's compile_commands.json. HARDENING_FLAGS are those that this
 * compiler takes, a blank after each. */
#include <glib.h>

#include <elf.h>
#include <fcntl.h>
#include <gelf.h>
#include <json-c/json.h>
#include <string.h>
#include <unistd.h>

/* A file that is read. */
typedef struct Binary {
        int fd;
        Elf *elf;
        GElf_Ehdr header;
} Binary;

static void binary_open(Binary *binary, const char *path)
{
        binary->fd = open(path, O_RDONLY | O_CLOEXEC);
        g_assert_cmpint(binary->fd, >=, 0);
        binary->elf = elf_begin(binary->fd, ELF_C_READ, NULL);
        g_assert_nonnull(binary->elf);
        g_assert_nonnull(gelf_getehdr(binary->elf, &binary->header));
}

static void binary_clear(Binary *binary)
{
        elf_end(binary->elf);
        close(binary->fd);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Binary, binary_clear)

/* How many segments of a type have all of these flags; 0 flags: any. */
static unsigned count_segments(const Binary *binary, uint32_t type, uint32_t flags)
{
        GElf_Phdr segment;
        unsigned n = 0;
        size_t n_segments;

        g_assert_cmpint(elf_getphdrnum(binary->elf, &n_segments), ==, 0);
        for (size_t i = 0; i < n_segments; i++) {
                g_assert_nonnull(gelf_getphdr(binary->elf, (int) i, &segment));
                n += segment.p_type == type && (segment.p_flags & flags) == flags;
        }
        return n;
}

/* Fills in the section of a type, and returns what is in it; NULL if there is none. */
static Elf_Data *find_section(const Binary *binary, uint32_t type, const char *name,
                              GElf_Shdr *ret_section)
{
        size_t names;

        g_assert_cmpint(elf_getshdrstrndx(binary->elf, &names), ==, 0);
        for (Elf_Scn *scn = elf_nextscn(binary->elf, NULL); scn;
             scn = elf_nextscn(binary->elf, scn)) {
                g_assert_nonnull(gelf_getshdr(scn, ret_section));
                if (ret_section->sh_type != type)
                        continue;
                if (!name ||
                    g_str_equal(elf_strptr(binary->elf, names, ret_section->sh_name), name))
                        return elf_getdata(scn, NULL);
        }
        return NULL;
}

/* Whether the dynamic section has a tag; its value. */
static gboolean find_dynamic(const Binary *binary, int64_t tag, uint64_t *ret_value)
{
        GElf_Shdr section;
        Elf_Data *data = find_section(binary, SHT_DYNAMIC, NULL, &section);
        GElf_Dyn entry;

        g_assert_nonnull(data);
        for (int i = 0; gelf_getdyn(data, i, &entry) && entry.d_tag != DT_NULL; i++) {
                if (entry.d_tag != tag)
                        continue;
                *ret_value = entry.d_un.d_val;
                return TRUE;
        }
        return FALSE;
}

static uint64_t dynamic_flags(const Binary *binary, int64_t tag)
{
        uint64_t flags = 0;

        find_dynamic(binary, tag, &flags);
        return flags;
}

/* How many functions are imported whose name begins and ends like this. */
static unsigned count_imports(const Binary *binary, const char *begin, const char *end)
{
        GElf_Shdr section;
        Elf_Data *data = find_section(binary, SHT_DYNSYM, NULL, &section);
        GElf_Sym symbol;
        unsigned n = 0;

        g_assert_nonnull(data);
        for (int i = 0; gelf_getsym(data, i, &symbol); i++) {
                const char *name = elf_strptr(binary->elf, section.sh_link, symbol.st_name);

                n += symbol.st_shndx == SHN_UNDEF && g_str_has_prefix(name, begin) &&
                     g_str_has_suffix(name, end);
        }
        return n;
}

/* ---- the programs ---- */

static void test_a_program_can_be_loaded_anywhere(gconstpointer path)
{
        g_auto(Binary) binary = {};

        binary_open(&binary, path);
        g_assert_cmpint(binary.header.e_type, ==, ET_DYN);
        g_assert_true(dynamic_flags(&binary, DT_FLAGS_1) & DF_1_PIE);
}

static void test_what_the_loader_fills_in_is_read_only_afterwards(gconstpointer path)
{
        g_auto(Binary) binary = {};

        binary_open(&binary, path);
        g_assert_cmpuint(count_segments(&binary, PT_GNU_RELRO, 0), ==, 1);
        g_assert_true((dynamic_flags(&binary, DT_FLAGS) & DF_BIND_NOW) ||
                      (dynamic_flags(&binary, DT_FLAGS_1) & DF_1_NOW));
}

static void test_no_memory_is_writable_and_executable(gconstpointer path)
{
        g_auto(Binary) binary = {};

        binary_open(&binary, path);
        g_assert_cmpuint(count_segments(&binary, PT_GNU_STACK, 0), ==, 1);
        g_assert_cmpuint(count_segments(&binary, PT_GNU_STACK, PF_X), ==, 0);
        g_assert_cmpuint(count_segments(&binary, PT_LOAD, PF_W | PF_X), ==, 0);
}

static void test_the_stack_is_protected(gconstpointer path)
{
        g_auto(Binary) binary = {};

        binary_open(&binary, path);
        g_assert_cmpuint(count_imports(&binary, "__stack_chk_fail", ""), ==, 1);
}

static void test_copies_are_checked(gconstpointer path)
{
        g_auto(Binary) binary = {};

        if (!IS_OPTIMISED) {
                g_test_skip("only where the build is optimised");
                return;
        }
        binary_open(&binary, path);
        g_assert_cmpuint(count_imports(&binary, "__", "_chk"), >, 0);
}

static void test_libraries_come_from_the_system_alone(gconstpointer path)
{
        g_auto(Binary) binary = {};
        uint64_t value;

        binary_open(&binary, path);
        g_assert_false(find_dynamic(&binary, DT_RPATH, &value));
        g_assert_false(find_dynamic(&binary, DT_RUNPATH, &value));
}

static void test_the_code_is_as_it_was_linked(gconstpointer path)
{
        g_auto(Binary) binary = {};
        uint64_t value;

        binary_open(&binary, path);
        g_assert_false(find_dynamic(&binary, DT_TEXTREL, &value));
        g_assert_false(dynamic_flags(&binary, DT_FLAGS) & DF_TEXTREL);
}

/* ---- the commands ---- */

static json_object *commands;

/* Whether a command makes an object of the programs: tests compile some of their files, too. */
static gboolean is_ours(json_object *command)
{
        const char *object = json_object_get_string(json_object_object_get(command, "output"));

        return g_str_has_prefix(object, "service/") || g_str_has_prefix(object, "client/");
}

/* A string of a command; a path is made whole with its folder. */
static char *take_path(json_object *command, const char *key)
{
        const char *folder = json_object_get_string(json_object_object_get(command, "directory"));
        const char *path = json_object_get_string(json_object_object_get(command, key));

        g_assert_true(folder && path);
        return g_canonicalize_filename(path, folder);
}

typedef void (*EachFunc)(json_object *command, const char *file);

/* Goes through the commands for each file of service/ and client/. */
static void each_command(EachFunc func)
{
        unsigned n = 0;

        for (size_t i = 0; i < json_object_array_length(commands); i++) {
                json_object *command = json_object_array_get_idx(commands, i);
                g_autofree char *file = take_path(command, "file");

                if (!is_ours(command))
                        continue;
                func(command, file);
                n++;
        }
        g_assert_cmpuint(n, >, 50);
}

static void check_flags(json_object *command, const char *file)
{
        g_auto(GStrv) flags = g_strsplit(HARDENING_FLAGS, " ", -1), words = NULL;

        words = g_strsplit(json_object_get_string(json_object_object_get(command, "command")), " ",
                           -1);
        for (char **flag = flags; *flag; flag++)
                if (**flag && !g_strv_contains((const char *const *) words, *flag))
                        g_error("%s is compiled without %s", file, *flag);
}

static void test_each_file_is_compiled_with_each_flag_that_the_compiler_takes(void)
{
        g_assert_nonnull(strstr(HARDENING_FLAGS, "-fstack-clash-protection"));
        each_command(check_flags);
}

/* The bits that a note of an object claims for all of its code. */
static uint32_t control_flow_marks(const Binary *binary)
{
        GElf_Shdr section;
        Elf_Data *data = find_section(binary, SHT_NOTE, ".note.gnu.property", &section);
        uint32_t property[3];
        size_t name, description, next = 0;
        GElf_Nhdr note;

        while (data && (next = gelf_getnote(data, next, &note, &name, &description)) > 0) {
                const char *at = (const char *) data->d_buf + description;

                if (note.n_type != NT_GNU_PROPERTY_TYPE_0)
                        continue;
                /* type, size, value; each property is padded to eight bytes */
                for (size_t i = 0; i + sizeof(property) <= note.n_descsz;
                     i += 8 + (property[1] + 7) / 8 * 8) {
                        memcpy(property, at + i, sizeof(property));
                        if (property[0] == GNU_PROPERTY_X86_FEATURE_1_AND)
                                return property[2];
                }
        }
        return 0;
}

static void check_marks(json_object *command, const char *file)
{
        const uint32_t both = GNU_PROPERTY_X86_FEATURE_1_IBT | GNU_PROPERTY_X86_FEATURE_1_SHSTK;
        g_autofree char *object = take_path(command, "output");
        g_auto(Binary) binary = {};

        binary_open(&binary, object);
        if ((control_flow_marks(&binary) & both) != both)
                g_error("%s is not marked for IBT and SHSTK", object);
}

/* The objects, not the programs: a C library whose own files have no marks takes them from what is
 * linked with it, as Debian's does. */
static void test_each_object_is_marked_for_indirect_branches_and_shadow_stacks(void)
{
#if defined(__x86_64__)
        each_command(check_marks);
#else
        g_test_skip("only x86 has these marks");
#endif
}

/* ---- */

#define ADD(name, path)                                                                            \
        do {                                                                                       \
                g_autofree char *program = g_path_get_basename(path);                              \
                g_autofree char *full = g_strconcat("/hardening/", program, "/" #name, NULL);      \
                g_test_add_data_func(full, path, test_##name);                                     \
        } while (0)

static void add_program(const char *path)
{
        ADD(a_program_can_be_loaded_anywhere, path);
        ADD(what_the_loader_fills_in_is_read_only_afterwards, path);
        ADD(no_memory_is_writable_and_executable, path);
        ADD(the_stack_is_protected, path);
        ADD(copies_are_checked, path);
        ADD(libraries_come_from_the_system_alone, path);
        ADD(the_code_is_as_it_was_linked, path);
}

#define ADD_COMMANDS(name) g_test_add_func("/hardening/" #name, test_##name)

int main(int argc, char **argv)
{
        int r;

        g_test_init(&argc, &argv, NULL);
        g_assert_cmpint(argc, >=, 3);
        g_assert_cmpint(elf_version(EV_CURRENT), !=, EV_NONE);
        commands = json_object_from_file(argv[argc - 1]);
        g_assert_nonnull(commands);
        for (int i = 1; i < argc - 1; i++)
                add_program(argv[i]);
        ADD_COMMANDS(each_file_is_compiled_with_each_flag_that_the_compiler_takes);
        ADD_COMMANDS(each_object_is_marked_for_indirect_branches_and_shadow_stacks);
        r = g_test_run();
        json_object_put(commands);
        return r;
}
