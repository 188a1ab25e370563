/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ways: how one goes on from a place of the trie. */
#include <string.h>

#include "policy/level.h"
#include "util/array.h"

static int compare_components(const char *a, const char *b)
{
        if (a[0] != b[0])
                return (unsigned char) a[0] < (unsigned char) b[0] ? -1 : 1;
        return memcmp(a + 1, b + 1, component_length(a));
}

static const char *component(const Builder *builder, const Way *way, uint32_t i)
{
        return builder->compiler->names.items[i].key + way->offset;
}

/* Returns the end of those from begin on that go on with name, as names[begin] does. */
static uint32_t group_end(const Builder *builder, const Way *way, uint32_t begin, const char *name)
{
        uint32_t low = begin, step = 1, high;

        while (low + step < way->end &&
               compare_components(component(builder, way, low + step), name) == 0) {
                low += step;
                step *= 2;
        }
        high = low + step < way->end ? low + step : way->end;
        while (high - low > 1) {
                uint32_t middle = low + (high - low) / 2;

                if (compare_components(component(builder, way, middle), name) == 0)
                        low = middle;
                else
                        high = middle;
        }
        return high;
}

/* Returns the first from way->at on that goes on with name or what comes after it. */
static uint32_t group_begin(const Builder *builder, const Way *way, const char *name)
{
        uint32_t low = way->at, high = way->end;

        while (low < high) {
                uint32_t middle = low + (high - low) / 2;

                if (compare_components(component(builder, way, middle), name) < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

void ways_find_stars(const Builder *builder, Way *way)
{
        way->stars = way->stars_end = group_begin(builder, way, KEY_WILDCARD);
        if (way->stars < way->end &&
            compare_components(component(builder, way, way->stars), KEY_WILDCARD) == 0)
                way->stars_end = group_end(builder, way, way->stars, KEY_WILDCARD);
}

int ways_add(Builder *builder, const Way *way, uint32_t skip)
{
        int r;

        r = ARRAY_RESERVE(builder->ways, builder->n_ways_allocated, builder->n_ways + 1);
        if (r < 0)
                return r;
        builder->ways[builder->n_ways] = *way;
        builder->ways[builder->n_ways++].offset += skip;
        return 0;
}

const char *ways_next(Builder *builder, const Level *level)
{
        const char *next = NULL;

        for (size_t i = 0; i < level->n_ways; i++) {
                Way *way = &builder->ways[level->first_way + i];
                const char *name;
                uint32_t at;

                if (way->at == way->stars)
                        way->at = way->stars_end;
                at = level->is_whole ? way->at : next_changed(builder, way->at, way->end);
                if (at == way->end)
                        continue;
                name = component(builder, way, at);
                if (!next || compare_components(name, next) < 0)
                        next = name;
        }
        return next;
}

/* Adds the way of level's i-th that goes on with name, if there is one. */
static int follow_name(Builder *builder, const Level *level, size_t i, const char *name,
                       int *ret_is_there)
{
        Way *way = &builder->ways[level->first_way + i], child;

        if (!level->is_whole)
                way->at = group_begin(builder, way, name);
        if (way->at == way->end || compare_components(component(builder, way, way->at), name) != 0)
                return 0;
        child = *way;
        way->at = child.end = group_end(builder, way, way->at, name);
        *ret_is_there |= is_there(builder, child.at, child.end);
        return ways_add(builder, &child, 1 + (uint32_t) component_length(name));
}

static int follow_stars(Builder *builder, const Level *level, size_t i, int *ret_is_there)
{
        Way child = builder->ways[level->first_way + i];

        if (child.stars == child.stars_end)
                return 0;
        child.at = child.stars;
        child.end = child.stars_end;
        *ret_is_there |= is_there(builder, child.at, child.end);
        return ways_add(builder, &child, (uint32_t) strlen(KEY_WILDCARD));
}

int ways_follow(Builder *builder, const Level *level, const char *name, int *ret_is_there)
{
        int stars_there = 0, r = 0;

        *ret_is_there = 0;
        for (size_t i = 0; name && i < level->n_ways && r >= 0; i++)
                r = follow_name(builder, level, i, name, ret_is_there);
        for (size_t i = 0; i < level->n_ways && r >= 0; i++)
                r = follow_stars(builder, level, i, &stars_there);
        if (!name)
                *ret_is_there = stars_there;
        return r;
}
