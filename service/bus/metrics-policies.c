/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Metrics of policies: how often their lines decided, and who signed them. A line that has decided
 * once is told, until there are too many: those that stand behind the others are one number then,
 * and no counter ever falls while the same rules are in force. Names of policies need no escaping.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "bus/metrics.h"
#include "util/cleanup.h"
#include "util/fiber.h"

/* ---- hits ---- */

/* How often each rule of the image decided, and how far the list of all rules is. */
typedef struct Tally {
        FILE *out;
        const PolicyImage *image;
        uint64_t *hits;
        size_t at;
        unsigned n_told;
        uint64_t left_out;
} Tally;

static uint64_t take_hits(Tally *tally, size_t n_rules)
{
        uint64_t hits = 0;

        for (size_t i = 0; i < n_rules; i++, tally->at++) {
                fiber_pace();
                if (tally->at < tally->image->n_numbers)
                        hits += tally->hits[tally->image->numbers[tally->at]];
        }
        return hits;
}

static void tell_line(Tally *tally, const Document *document, uint32_t line, uint64_t hits)
{
        if (hits == 0)
                return;
        if (tally->n_told == METRICS_RULES_MAX) {
                tally->left_out += hits;
                return;
        }
        tally->n_told++;
        fprintf(tally->out, "aegis_rule_hits_total{policy=\"%s\",line=\"%u\"} %" PRIu64 "\n",
                document->name, line, hits);
}

static void write_policies(Tally *tally, const Enforcement *enforcement)
{
        metrics_head(tally->out, METRIC_COUNTER, "policy_hits",
                     "How often rules of a policy in force decided.");
        tally->at = 0;
        for (size_t i = 0; i < enforcement_n_documents(enforcement); i++) {
                const Document *document = &enforcement_document(enforcement, i)->document;

                fprintf(tally->out, "aegis_policy_hits_total{policy=\"%s\"} %" PRIu64 "\n",
                        document->name, take_hits(tally, policy_n_rules(document->policy)));
        }
}

static void write_lines(Tally *tally, const Document *document)
{
        const Policy *policy = document->policy;

        for (size_t i = 0, n; i < policy_n_rules(policy); i += n) {
                n = entry_n_rules(policy, i);
                tell_line(tally, document, policy_rule(policy, i)->line, take_hits(tally, n));
        }
}

int metrics_write_hits(FILE *out, const BusServer *server)
{
        const Enforcement *enforcement = server->config.enforcement;
        _cleanup_(freep) uint64_t *hits = NULL;
        Tally tally = {.out = out, .image = enforcement_image(enforcement)};
        int r;

        if (!tally.image || !kernel_has_documents(server))
                return 0;
        r = backend_all_hits(server->config.backend, tally.image->n_rules, &hits);
        if (r < 0)
                return r;
        tally.hits = hits;
        write_policies(&tally, enforcement);
        metrics_head(out, METRIC_COUNTER, "rule_hits",
                     "How often a line of a policy in force decided, if it ever did.");
        tally.at = 0;
        for (size_t i = 0; i < enforcement_n_documents(enforcement); i++)
                write_lines(&tally, &enforcement_document(enforcement, i)->document);
        metrics_counter(out, "rule_hits_left_out",
                        "The same of all lines that are too many to be told each.", tally.left_out);
        return 0;
}

/* ---- trust ---- */

typedef struct Signed {
        unsigned n, n_expired;
} Signed;

static Signed count_signed(const Enforcement *enforcement, uint64_t now)
{
        Signed count = {};

        for (size_t i = 0; i < enforcement_n_documents(enforcement); i++) {
                SignedStatus status;

                enforcement_signed(enforcement, enforcement_document(enforcement, i), &status);
                count.n += status.is_signed != 0;
                count.n_expired += status.is_signed && status.expires <= now;
        }
        return count;
}

/* Of the names in force alone: what was in force before is not everybody's to know. */
static void write_seqs(FILE *out, const Enforcement *enforcement)
{
        size_t n = enforcement_n_documents(enforcement);

        metrics_head(out, METRIC_GAUGE, "policy_seq", "The seq of a signed policy in force.");
        for (size_t i = 0; i < n; i++) {
                const Loaded *loaded = enforcement_document(enforcement, i);
                SignedStatus status;

                enforcement_signed(enforcement, loaded, &status);
                if (status.is_signed)
                        fprintf(out, "aegis_policy_seq{policy=\"%s\"} %" PRIu64 "\n",
                                loaded->document.name, status.seq);
        }
        metrics_head(out, METRIC_GAUGE, "policy_floor",
                     "The seq below which none of that name is taken.");
        for (size_t i = 0; i < n; i++) {
                const char *name = enforcement_document(enforcement, i)->document.name;
                uint64_t floor = enforcement_floor(enforcement, name);

                if (floor > 0)
                        fprintf(out, "aegis_policy_floor{policy=\"%s\"} %" PRIu64 "\n", name,
                                floor);
        }
}

void metrics_write_trust(FILE *out, const Enforcement *enforcement)
{
        TrustStatus trust;
        Signed count;

        enforcement_trust(enforcement, &trust);
        count = count_signed(enforcement, trust.now);
        metrics_gauge(out, "signature_required", "Whether only what is signed may be put in force.",
                      trust.requires_signature);
        metrics_gauge(out, "root_seq", "The number of the root that is believed; 0: none.",
                      trust.root_seq);
        metrics_gauge(out, "root_expires", "When it expires, in seconds since 1970; 0: no root.",
                      trust.root_expires);
        metrics_gauge(out, "policies_signed", "Policies in force that keys have signed that count.",
                      count.n);
        metrics_gauge(out, "policies_expired", "Those of them that have expired.", count.n_expired);
        write_seqs(out, enforcement);
}
