/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Random values: see fuzz-value.h. */
#include "fuzz-value.h"

#define DEPTH_MAX 30 /* dbus-broker throws out who goes further */

static unsigned below(unsigned n)
{
        return (unsigned) g_test_rand_int_range(0, (gint32) n);
}

/* What gets further than noise. The names that the lab's polkit lets in are not among them. */
static const char *const words[] = {
        "",
        "web",
        "runtime",
        "*",
        ".",
        "-x",
        "enforce",
        "audit",
        "deny",
        "allow",
        "default",
        "expect",
        "check",
        "ttl-usec",
        "entry",
        "policy",
        "hook",
        "verdict",
        "uid",
        "since",
        "limit",
        "confirm-timeout-usec",
        "denied",
        "file_open",
        "file:/srv/x",
        "net:10.0.0.0/8 port=1-9",
        "exec:/bin/x mode=audit",
        "version=1\n[deny_path]\n/srv/fuzz\n",
        "version=7\n[deny]\nfile:/srv/fuzz access=read uid=7 why=\"x\"\n",
        "version=7\n[deny]\nfile:",
        "version=99\n",
        "\n\n\n",
        "[deny]",
        "org.aegis.Enforcer.Manager",
        "org.aegis.Enforcer.Hook",
        "Mode",
        "weaken",
        "org.aegis.enforcer.plan",
        "/org/aegis/Enforcer/policy/web",
        "debug",
        "%s%n%s",
        "../../etc/passwd",
        "\u202eabc",
        "\t\r\x01\x7f",
        "päth 路 🦀",
};

static char *random_string(void)
{
        GString *text = g_string_new(NULL);
        unsigned n;

        switch (below(8)) {
        case 0:
                n = below(40);
                for (unsigned i = 0; i < n; i++)
                        g_string_append_unichar(text, 1 + below(0xd7fe));
                break;
        case 1:
                n = 1u << below(19);
                for (unsigned i = 0; i < n; i++)
                        g_string_append_c(text, (char) (' ' + below(95)));
                break;
        case 2:
                n = below(20);
                for (unsigned i = 0; i < n; i++)
                        g_string_append(text, words[below(G_N_ELEMENTS(words))]);
                break;
        default:
                g_string_append(text, words[below(G_N_ELEMENTS(words))]);
                break;
        }
        return g_string_free(text, FALSE);
}

static guint64 random_number(void)
{
        static const guint64 edges[] = {0,
                                        1,
                                        2,
                                        127,
                                        128,
                                        255,
                                        32767,
                                        65535,
                                        G_MAXINT32,
                                        G_MAXUINT32,
                                        G_MAXINT64,
                                        G_MAXUINT64,
                                        G_MAXUINT64 - 1};

        if (below(3) > 0)
                return edges[below(G_N_ELEMENTS(edges))];
        return (guint64) (guint32) g_test_rand_int() << below(33);
}

static const char basic[] = "ybnqiuxtdsog";

/* One complete type. */
static void append_type(GString *type, unsigned depth)
{
        unsigned kind = depth > 3 ? 0 : below(8);

        switch (kind) {
        case 1:
                g_string_append_c(type, 'v');
                break;
        case 2:
                g_string_append_c(type, 'a');
                append_type(type, depth + 1);
                break;
        case 3:
                g_string_append_c(type, '(');
                append_type(type, depth + 1);
                append_type(type, depth + 1);
                g_string_append_c(type, ')');
                break;
        case 4:
                g_string_append(type, "a{s");
                append_type(type, depth + 1);
                g_string_append_c(type, '}');
                break;
        default:
                g_string_append_c(type, basic[below(sizeof(basic) - 1)]);
                break;
        }
}

char *random_type(void)
{
        GString *type = g_string_new("(");
        unsigned n = below(7);

        for (unsigned i = 0; i < n; i++)
                append_type(type, 0);
        g_string_append_c(type, ')');
        return g_string_free(type, FALSE);
}

static GVariant *value(const GVariantType *type, unsigned depth);

/* Seldom a tower of variants. */
static GVariant *random_variant(unsigned depth)
{
        GString *type = g_string_new(NULL);
        GVariant *inner;

        append_type(type, depth > 8 ? 4 : 2);
        inner = depth < DEPTH_MAX && below(20) == 0 ? random_variant(depth + 1)
                                                    : value(G_VARIANT_TYPE(type->str), depth + 1);
        if (below(200) == 0)
                for (unsigned i = depth; i < DEPTH_MAX; i++)
                        inner = g_variant_new_variant(inner);
        g_string_free(type, TRUE);
        return g_variant_new_variant(inner);
}

static GVariant *random_basic(const GVariantType *type)
{
        guint64 number = random_number();
        char *text;

        switch (*g_variant_type_peek_string(type)) {
        case 'y':
                return g_variant_new_byte((guchar) number);
        case 'b':
                return g_variant_new_boolean(number & 1);
        case 'n':
                return g_variant_new_int16((gint16) number);
        case 'q':
                return g_variant_new_uint16((guint16) number);
        case 'i':
                return g_variant_new_int32((gint32) number);
        case 'u':
                return g_variant_new_uint32((guint32) number);
        case 'x':
                return g_variant_new_int64((gint64) number);
        case 't':
                return g_variant_new_uint64(number);
        case 'd':
                return g_variant_new_double((double) number);
        case 'o':
                return g_variant_new_object_path(below(2) ? "/" : "/org/aegis/Enforcer/policy/web");
        case 'g':
                return g_variant_new_signature(below(2) ? "" : "a{sv}");
        default:
                text = random_string();
                return g_variant_new_take_string(text);
        }
}

static GVariant *random_array(const GVariantType *type, unsigned depth)
{
        unsigned n = depth > 3 ? 1 : below(100) == 0 ? below(5000) : below(5);
        GVariantBuilder builder;

        if (n > 5 && !g_variant_type_is_basic(g_variant_type_element(type)))
                n = 50;
        g_variant_builder_init(&builder, type);
        for (unsigned i = 0; i < n; i++)
                g_variant_builder_add_value(&builder,
                                            value(g_variant_type_element(type), depth + 1));
        return g_variant_builder_end(&builder);
}

static GVariant *random_members(const GVariantType *type, unsigned depth)
{
        const GVariantType *member = g_variant_type_first(type);
        GVariantBuilder builder;

        g_variant_builder_init(&builder, type);
        for (; member; member = g_variant_type_next(member))
                g_variant_builder_add_value(&builder, value(member, depth + 1));
        return g_variant_builder_end(&builder);
}

static GVariant *value(const GVariantType *type, unsigned depth)
{
        if (g_variant_type_is_variant(type))
                return random_variant(depth + 1);
        if (g_variant_type_is_array(type))
                return random_array(type, depth);
        if (g_variant_type_is_basic(type))
                return random_basic(type);
        return random_members(type, depth);
}

GVariant *random_value(const char *type)
{
        return g_variant_ref_sink(value(G_VARIANT_TYPE(type), 0));
}
