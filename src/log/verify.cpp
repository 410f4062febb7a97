#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "crypto/digest.h"
#include "crypto/merkle.h"
#include "log/log.h"
#include "log/logged_rows.h"
#include "store/api_key_store.h"
#include "store/archive_reader.h"
#include "store/ledger.h"
#include "store/log_reader.h"
#include "store/read_snapshot.h"
#include "store/trust_store.h"
#include "store/work_queue.h"

namespace district::log {
namespace {

constexpr std::size_t kPage = 1000;
constexpr std::size_t kProblemsMax = 1000;  // enough to see that a log is damaged all over

std::string leaf_name(std::uint64_t leaf_index) { return "leaf " + std::to_string(leaf_index); }

// One pass over leaves, heads and rows side by side, all in the order of their numbers. They are
// read in pages, so that memory does not grow with the log.
class Check {
 public:
  Check(store::ArchiveDatabase& database,
        const std::function<void(std::uint64_t, std::uint64_t)>& progress)
      : database_(database),
        archive_(database),
        log_(database),
        ledger_(database),
        trust_(database),
        keys_(database),
        progress_(progress) {}

  Result<LogReport> run() {
    DISTRICT_TRY(const auto moment, store::ReadSnapshot::take(database_));
    DISTRICT_TRY(const auto last, log_.head());
    total_ = last.tree_size;
    DISTRICT_CHECK(check_file());
    DISTRICT_TRY(auto changes, trust_.recorded_changes());
    changes_.assign(std::move_iterator(changes.begin()), std::move_iterator(changes.end()));
    DISTRICT_TRY(auto imports, archive_.site_imports());
    imports_.assign(std::move_iterator(imports.begin()), std::move_iterator(imports.end()));
    DISTRICT_CHECK(load_keys());
    while (next_ < total_) {
      DISTRICT_TRY(const auto entries, log_.entries(next_, kPage));
      DISTRICT_CHECK(check_page(entries));
      if (progress_) progress_(next_, total_);
    }
    DISTRICT_CHECK(check_beyond());
    DISTRICT_CHECK(check_frontier());
    DISTRICT_CHECK(check_trust_epoch());
    DISTRICT_CHECK(check_replay_horizon());
    DISTRICT_TRY(const auto strays, archive_.stray_octets());
    for (const auto& stray : strays) problem(stray);
    // If the row of an envelope is missing, its work item is a stray as well; the missing row has
    // then been named above.
    if (report_.problems.empty()) {
      DISTRICT_TRY(const auto stray_work, store::WorkQueue(database_, {}).strays());
      for (const auto& stray : stray_work) problem(stray);
    }
    report_.leaves = total_;
    report_.root_hash = from_entries_.root();
    if (left_out_ > 0) report_.problems.push_back("and " + std::to_string(left_out_) + " more");
    return std::move(report_);
  }

 private:
  void problem(std::string text) {
    if (report_.problems.size() < kProblemsMax) {
      report_.problems.push_back(std::move(text));
    } else {
      ++left_out_;
    }
  }

  // This comes first: a foreign index, trigger or view could falsify all that is read afterwards.
  Result<Ok> check_file() {
    DISTRICT_TRY(const auto damages, database_.damages());
    for (const auto& damage : damages) problem(damage);
    return Ok{};
  }

  Result<Ok> load_keys() {
    DISTRICT_TRY(const auto keys, keys_.recorded());
    std::vector<LoggedKey> rows;
    for (const auto& [key, leaf_index, revocation_leaf_index, awaits_leaf] : keys) {
      const auto name = "API key " + key.key_id;
      const bool revoked = key.revoked_at || !key.revocation_reason.empty();
      if (leaf_index) rows.push_back({*leaf_index, key, false, name});
      if (revocation_leaf_index)
        rows.push_back({*revocation_leaf_index, key, true, "the revocation of " + name});
      if (awaits_leaf) {
        problem(name +
                (leaf_index
                     ? " has a leaf, and is noted as one that an earlier version made without"
                     : " is in no leaf yet: it is noted as one that an earlier version made, "
                       "and districtd writes its leaf when it starts"));
      } else if (!leaf_index) {
        problem(name + " is in no leaf; the server refuses it");
      } else if (revoked != revocation_leaf_index.has_value()) {
        problem("the revocation of " + name + (revoked ? " is in no leaf" : " is not in its row"));
      }
    }
    std::ranges::sort(rows, {}, &LoggedKey::leaf_index);
    key_rows_.assign(rows.begin(), rows.end());
    return Ok{};
  }

  Result<Ok> check_page(const std::vector<LogEntry>& entries) {
    for (const auto& entry : entries) {
      if (entry.leaf_index >= total_) break;
      if (entry.leaf_index > next_) DISTRICT_CHECK(pass_over(entry.leaf_index));
      DISTRICT_CHECK(fill_heads());
      DISTRICT_CHECK(fill_envelopes());
      check_leaf(entry);
      check_head();
      ++next_;
    }
    const bool was_last = entries.empty() || entries.back().leaf_index >= total_;
    return was_last && next_ < total_ ? pass_over(total_) : Result<Ok>(Ok{});
  }

  // Passes over leaves that are missing, and over the rows and heads that belong to them. No root
  // after them can be recomputed. A forged head may claim any number of them.
  Result<Ok> pass_over(std::uint64_t end) {
    problem(end == next_ + 1 ? leaf_name(next_) + " is missing"
                             : "leaves " + std::to_string(next_) + " to " +
                                   std::to_string(end - 1) + " are missing");
    gap_ = true;
    commit_ = {};
    after_head_ = false;
    next_ = end - 1;
    while (true) {
      DISTRICT_CHECK(fill_envelopes());
      if (envelopes_.empty() || envelopes_.front().leaf_index >= end) break;
      drop_rows();
    }
    drop_rows();
    while (true) {
      DISTRICT_CHECK(fill_heads());
      if (heads_.empty() || heads_.front().tree_size > end) break;
      heads_.pop_front();
      ++report_.heads;
    }
    next_ = end;
    return Ok{};
  }

  Result<Ok> fill_heads() {
    if (!heads_.empty() || heads_read_ >= total_) return Ok{};
    DISTRICT_TRY(const auto heads, log_.heads(heads_read_, kPage));
    heads_.assign(heads.begin(), heads.end());
    heads_read_ = heads.empty() ? total_ : heads.back().tree_size;
    return Ok{};
  }

  Result<Ok> fill_envelopes() {
    if (!envelopes_.empty() || envelopes_done_) return Ok{};
    store::EnvelopeFilter filter;
    filter.after_leaf = last_envelope_;
    filter.limit = kPage;
    DISTRICT_TRY(auto envelopes, archive_.list(filter));
    envelopes_done_ = envelopes.empty() || envelopes.back().leaf_index >= total_;
    if (!envelopes.empty()) last_envelope_ = envelopes.back().leaf_index;
    envelopes_.assign(std::move_iterator(envelopes.begin()), std::move_iterator(envelopes.end()));
    return Ok{};
  }

  void check_leaf(const LogEntry& leaf) {
    const auto computed = crypto::merkle_leaf_hash(as_bytes(leaf.entry));
    if (computed != leaf.leaf_hash) {
      problem(leaf_name(next_) + ": its entry does not have its recorded hash");
    }
    from_entries_.append(computed);
    from_hashes_.append(leaf.leaf_hash);
    check_commit(leaf.entry);
    check_rows(leaf.entry);
  }

  // There must be a head where one commit ends and the next begins, and nowhere else. The rows of
  // envelopes say which of them share a commit; changes of trust share one if they have the same
  // time.
  void check_commit(const std::string& entry) {
    const auto kind = kind_of(entry);
    Commit commit{kind == "envelope" ? kind : is_trust(kind) ? "trust" : "other", time_of(entry)};
    const bool same =
        commit.what == "trust" && commit.what == commit_.what && commit.at == commit_.at;
    const bool told_by_rows = commit.what == "envelope" && commit.what == commit_.what;
    if (!commit_.what.empty() && !told_by_rows && after_head_ == same) {
      problem("head of tree size " + std::to_string(next_) +
              (same ? " lies within a commit" : " is missing: a commit ended there"));
    }
    if (commit.what == "trust" && !same) {
      ++trust_changes_;
      trust_changed_at_ = commit.at;
    }
    commit_ = std::move(commit);
  }

  // Checks the rows that say they belong to this leaf: there is exactly one for the kinds of
  // entries that have rows.
  void check_rows(const std::string& entry) {
    std::size_t rows = 0;
    while (!envelopes_.empty() && envelopes_.front().leaf_index <= next_) {
      const auto& envelope = envelopes_.front();
      compare(entry, expected_entry(envelope, entry), "envelope " + envelope.receipt_id);
      check_tree_size(envelope);
      envelopes_.pop_front();
      ++rows;
    }
    while (!changes_.empty() && changes_.front().leaf_index <= next_) {
      const auto& change = changes_.front();
      compare(entry, entry_of(change), name_of(change));
      check_certificate(change);
      check_revoked(change);
      changes_.pop_front();
      ++rows;
    }
    while (!imports_.empty() && imports_.front().leaf_index <= next_) {
      const auto& import = imports_.front();
      compare(entry, entry_of(import, entry), name_of(import));
      imports_.pop_front();
      ++rows;
    }
    while (!key_rows_.empty() && key_rows_.front().leaf_index <= next_) {
      compare(entry, entry_of(key_rows_.front(), entry), key_rows_.front().name);
      check_earlier_key(key_rows_.front(), entry);
      key_rows_.pop_front();
      ++rows;
    }
    const auto kind = kind_of(entry);
    const bool has_row = kind == "envelope" || is_trust(kind) || kind == "site" ||
                         kind == "apikey" || kind == "apikey-revoke";
    if (has_row && rows == 0)
      problem(leaf_name(next_) + ": the row of its " + kind + " is missing");
    if (rows > 1) problem(leaf_name(next_) + ": more than one row claims it");
  }

  void compare(const std::string& entry, const std::string& from_row, const std::string& row) {
    if (entry == from_row) return;
    problem(leaf_name(next_) + ": " + row +
            " does not agree with its entry: " + differing_members(entry, from_row));
  }

  // A receipt names the head of its own commit: the first that contains its leaf.
  void check_tree_size(const StoredEnvelope& envelope) {
    if (!heads_.empty() && heads_.front().tree_size == envelope.tree_size) return;
    problem(leaf_name(next_) + ": envelope " + envelope.receipt_id + " has tree size " +
            std::to_string(envelope.tree_size) + ", which is not the head of its commit");
  }

  void check_certificate(const store::RecordedChange& recorded) {
    if (recorded.change.kind == store::TrustChange::Kind::tenant) return;
    const auto& enrolment = recorded.change.enrolment;
    if (crypto::sha256(enrolment.certificate_der) == enrolment.certificate_sha256) return;
    problem(leaf_name(next_) + ": the certificate of " + name_of(recorded) +
            " does not have its fingerprint");
  }

  // A revocation names only certificate and tenant, and ends every enrolment of theirs. So it must
  // not stand with a later one, nor with one that had ended while another goes on.
  void check_revoked(const store::RecordedChange& recorded) {
    using Kind = store::TrustChange::Kind;
    const auto& enrolment = recorded.change.enrolment;
    if (recorded.change.kind == Kind::tenant) return;
    auto& enrolled = enrolled_[{enrolment.certificate_sha256, enrolment.tenant}];
    if (recorded.change.kind == Kind::enrol) {
      enrolled.push_back(enrolment);
      enrolled.back().certificate_der = {};  // not needed, and all are kept
      return;
    }
    if (enrolment.leaf_index >= recorded.leaf_index) {
      problem(leaf_name(next_) + ": " + name_of(recorded) + " stands with the enrolment of leaf " +
              std::to_string(enrolment.leaf_index) + ", which came later");
    }
    if (!enrolment.revoked_at) return;  // the entry's time is missed already
    for (const auto& one : enrolled) {
      const bool revoked = one.revoked_at && *one.revoked_at <= recorded.at;
      if (revoked || one.has_ended(recorded.at)) continue;
      problem(leaf_name(next_) + ": " + name_of(recorded) +
              " does not stand with the enrolment of leaf " + std::to_string(one.leaf_index) +
              ", which it ended");
    }
  }

  // Keys of an earlier version all got their leaves at once, before any other key was made.
  void check_earlier_key(const LoggedKey& row, const std::string& entry) {
    const auto at = time_of(entry);
    if (!is_of_earlier_api_key(entry)) {
      keys_made_ = true;
    } else if (keys_made_ || (earlier_keys_logged_at_ && earlier_keys_logged_at_ != at)) {
      problem(leaf_name(next_) + ": " + row.name +
              " came into the log as one of an earlier version, later than these do");
    } else {
      earlier_keys_logged_at_ = at;
    }
  }

  void drop_rows() {
    while (!envelopes_.empty() && envelopes_.front().leaf_index <= next_) envelopes_.pop_front();
    while (!changes_.empty() && changes_.front().leaf_index <= next_) changes_.pop_front();
    while (!imports_.empty() && imports_.front().leaf_index <= next_) imports_.pop_front();
    while (!key_rows_.empty() && key_rows_.front().leaf_index <= next_) key_rows_.pop_front();
  }

  void check_head() {
    after_head_ = !heads_.empty() && heads_.front().tree_size == next_ + 1;
    if (!after_head_) return;
    const auto head = heads_.front();
    heads_.pop_front();
    ++report_.heads;
    if (gap_) return;
    // A leaf with a changed entry or a changed hash has been named already. The head then agrees
    // with the one that was not changed. If both were changed, only the head shows it.
    if (head.root_hash == from_entries_.root() || head.root_hash == from_hashes_.root()) {
      last_good_ = head.tree_size;
      return;
    }
    if (head_reported_) return;
    head_reported_ = true;
    problem("head of tree size " + std::to_string(head.tree_size) +
            ": its root is not that of the entries; the first difference is in leaves " +
            std::to_string(last_good_) + " to " + std::to_string(head.tree_size - 1) +
            " or in the head");
  }

  Result<Ok> check_beyond() {
    DISTRICT_TRY(const auto leaves, log_.entries(total_, 1));
    store::EnvelopeFilter filter;
    if (total_ > 0) filter.after_leaf = total_ - 1;
    filter.limit = 1;
    DISTRICT_TRY(const auto envelopes, archive_.list(filter));
    if (!leaves.empty()) problem(leaf_name(leaves.front().leaf_index) + " is beyond the last head");
    if (!envelopes.empty()) {
      problem(leaf_name(envelopes.front().leaf_index) + ": envelope " +
              envelopes.front().receipt_id + " is beyond the last head");
    }
    if (!changes_.empty()) {
      problem(leaf_name(changes_.front().leaf_index) + ": " + name_of(changes_.front()) +
              " is beyond the last head");
    }
    if (!imports_.empty()) {
      problem(leaf_name(imports_.front().leaf_index) + ": " + name_of(imports_.front()) +
              " is beyond the last head");
    }
    if (!key_rows_.empty()) {
      problem(leaf_name(key_rows_.front().leaf_index) + ": " + key_rows_.front().name +
              " is beyond the last head");
    }
    return Ok{};
  }

  Result<Ok> check_frontier() {
    DISTRICT_TRY(const auto frontier, log_.frontier());
    if (frontier.size != total_) {
      problem("the frontier of the log has size " + std::to_string(frontier.size) +
              ", its last head " + std::to_string(total_));
    } else if (!gap_ && frontier.root() != from_entries_.root() &&
               frontier.root() != from_hashes_.root()) {
      problem("the frontier of the log does not have the root of the entries");
    }
    return Ok{};
  }

  // The programs load trust again when its epoch has grown, so a forged epoch could hide a change.
  Result<Ok> check_trust_epoch() {
    DISTRICT_TRY(const auto epoch, trust_.epoch());
    DISTRICT_TRY(const auto changed_at, trust_.changed_at());
    if (gap_) return Ok{};
    if (epoch != trust_changes_) {
      problem("the trust epoch is " + std::to_string(epoch) + ", but the log has " +
              std::to_string(trust_changes_) + " changes of trust");
    }
    const auto last = trust_changed_at_.value_or(Instant{});
    if (changed_at != last) {
      problem("the last change of trust is recorded at " + format_instant(changed_at) +
              ", but the log has it at " + format_instant(last));
    }
    return Ok{};
  }

  // The server accepts no envelope without a replay horizon that can be read.
  Result<Ok> check_replay_horizon() {
    const auto horizon = ledger_.replay_horizon();
    if (horizon) return Ok{};
    if (horizon.error().code != ErrorCode::archive_corrupt) return fail(horizon.error());
    problem(horizon.error().detail);
    return Ok{};
  }

  struct Commit {
    std::string what;  // empty: not known
    std::optional<Instant> at;
  };
  store::ArchiveDatabase& database_;
  store::ArchiveReader archive_;
  store::LogReader log_;
  store::Ledger ledger_;
  store::TrustStore trust_;
  store::ApiKeyStore keys_;
  const std::function<void(std::uint64_t, std::uint64_t)>& progress_;
  LogReport report_;
  std::size_t left_out_ = 0;
  std::uint64_t total_ = 0;  // leaves when the check began
  std::uint64_t next_ = 0;   // the leaf to check next
  crypto::MerkleFrontier from_entries_, from_hashes_;
  std::deque<LogHead> heads_;
  std::uint64_t heads_read_ = 0;
  std::deque<StoredEnvelope> envelopes_;
  std::optional<std::uint64_t> last_envelope_;
  bool envelopes_done_ = false;
  std::deque<store::RecordedChange> changes_;
  std::deque<SiteImport> imports_;
  std::deque<LoggedKey> key_rows_;
  bool keys_made_ = false;  // by this version
  std::optional<Instant> earlier_keys_logged_at_;
  std::uint64_t last_good_ = 0;  // size of the last head that was right
  bool head_reported_ = false;
  bool gap_ = false;
  Commit commit_;            // of the previous leaf
  bool after_head_ = false;  // whether a head follows it
  std::uint64_t trust_changes_ = 0;
  std::optional<Instant> trust_changed_at_;
  std::map<std::pair<Sha256Digest, std::string>, std::vector<Enrolment>> enrolled_;
};

}  // namespace

Result<LogReport> verify(store::ArchiveDatabase& database,
                         const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
  return Check(database, progress).run();
}

}  // namespace district::log
