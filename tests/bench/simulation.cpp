#include "simulation.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <memory>
#include <random>

#include "receipts.h"

namespace district::bench {
namespace {

using namespace std::chrono_literals;

// What a gateway does at its turn. All but the first are faults of real ones.
enum class Act : std::uint8_t {
  in_order,    // the next messages
  resent,      // and the same octets again, after the receipt
  cut,         // the connection ends in the middle; then the same octets again
  duplicate,   // the messages of the turn before, signed anew
  correction,  // those with other values
  gap,         // some messages are left out for good
  late,        // of long ago
  forged,      // an octet of the Body changed after signing
};
constexpr std::array kActs{"in order",   "resent", "connection cut", "duplicate values",
                           "correction", "gap",    "late data",      "changed after signing"};
constexpr std::uint64_t kLongAgo = 100'000;  // messages; none gets so far by itself
constexpr int kTriesMax = 20;

constexpr const char* kReceipt = "receipt";
constexpr const char* kReplayed = "MessageReplayed";

// "receipt", the local name of the fault's code, or the HTTP status.
std::string outcome_of(const Answer& answer) {
  if (answer.status == 200) {
    return element_text(answer.body, "receiptId").empty() ? "no receipt" : kReceipt;
  }
  const std::size_t code = answer.body.find("<faultcode");
  const std::size_t from = answer.body.find('>', code);
  const std::size_t to = answer.body.find('<', from);
  if (answer.status == 503 || code == std::string_view::npos || to == std::string_view::npos) {
    return "HTTP " + std::to_string(answer.status);
  }
  const std::string_view name = answer.body.substr(from + 1, to - from - 1);
  return std::string(name.substr(name.find(':') + 1));
}

class Simulation final : public Listener {
 public:
  Simulation(const Setting& setting, const SimulationPlan& plan)
      : setting_(setting),
        plan_(plan),
        measurement_(setting.server),
        receipts_(setting.ca_file, setting.target.host(), 10),
        members_(setting.gateways.size()) {
    for (std::size_t i = 0; i < members_.size(); ++i) {
      Member& member = members_[i];
      member.connection = std::make_unique<Connection>(loop_, setting.target, *this, i);
      member.daily = i % 2 == 1;
    }
    // Evenly spread, so that a few gateways already have one; every second is fast, every second
    // slow.
    const auto wrong =
        static_cast<std::size_t>(plan.clock_share * static_cast<double>(members_.size()) + 0.5);
    for (std::size_t i = 0; i < wrong; ++i) {
      members_[i * members_.size() / wrong].clock = i % 2 == 0 ? Duration(10min) : Duration(-10min);
    }
  }

  Result<Json> run() {
    acknowledged_.open(plan_.receipts_file);
    acknowledged_ << "tenant,receipt_id\n";
    measurement_.begin();
    const auto begin = Steady::now();
    end_ = begin + std::chrono::duration_cast<Steady::duration>(Seconds(plan_.seconds));
    for (auto& member : members_) {
      // The first turn within the first of its periods, and within the run.
      const double span = std::min(plan_.seconds, period_of(member));
      turn_at(member, begin + std::chrono::duration_cast<Steady::duration>(Seconds(
                                  span * std::uniform_real_distribution<double>(0, 1)(random_))));
    }
    loop_.at(end_ + 60s, [this] {
      ++unexpected_["not finished a minute after the end"];
      loop_.stop();
    });
    loop_.run();
    measurement_.end();
    acknowledged_.close();
    if (!acknowledged_)
      return fail(ErrorCode::file_unreadable, "cannot write " + plan_.receipts_file);
    DISTRICT_TRY(const auto verified, receipts_.verify());
    Json json;
    json["gateways"] = members_.size();
    json["sent"] = sent_;
    json["messages"] = messages_;
    json["acknowledged"] = receipts_written_;
    json["busy_answers"] = busy_;
    json["lost_connections"] = lost_;
    json["outcomes"] = outcomes_;
    json["unexpected"] = unexpected_;
    json["receipts_verified"] = verified;
    json["measured"] = measurement_.to_json();
    return json;
  }

  void connected(Connection& connection) override {
    measurement_.count_handshake();
    Member& member = members_[connection.number()];
    if (member.act == Act::cut && !member.cut_done) return send_half(member);
    send(member);
  }

  void answered(Connection& connection, const Answer& answer) override {
    Member& member = members_[connection.number()];
    measurement_.count(answer.status, Steady::now() - member.since, member.request.messages,
                       member.request.envelope.size());
    if (answer.status == 503) {
      ++busy_;
      return try_again(member, std::max(1s, answer.retry_after));
    }
    const std::string outcome = outcome_of(answer);
    const bool expected = is_expected(member, outcome, answer);
    ++outcomes_[kActs.at(static_cast<std::size_t>(member.act)) +
                std::string(member.clock == Duration{} ? "" : " (clock wrong)")][outcome];
    if (!expected) {
      ++unexpected_[kActs.at(static_cast<std::size_t>(member.act)) + std::string(": ") + outcome];
    }
    if (outcome == kReceipt || outcome == kReplayed) acknowledge(member, answer);
    if (member.act == Act::resent && outcome == kReceipt && !member.sent_again) {
      member.sent_again = true;
      if (connection.ready()) return send(member);
      return connection.open();
    }
    finish(member);
  }

  void lost(Connection& connection, bool waiting, const std::string&) override {
    Member& member = members_[connection.number()];
    if (!waiting || !member.busy) return;
    ++lost_;
    member.uncertain = true;
    try_again(member, 1s);
  }

 private:
  struct Member {
    std::unique_ptr<Connection> connection;
    bool daily = false;
    Duration clock{};          // less the true time
    std::uint64_t next = 0;    // number of its next message
    std::uint64_t before = 0;  // number of the first message of the turn before
    Act act = Act::in_order;
    bool busy = false, cut_done = false, sent_again = false;
    bool uncertain = false;  // the server may have taken it without our knowing
    int tries = 0;
    std::string receipt_id;
    SignedRequest request;
    Moment since;
  };

  double period_of(const Member& member) const {
    return (member.daily ? 24 : 1) * 3600 / plan_.speed;
  }
  // In an hour or a day.
  std::size_t messages_of(const Member& member, std::size_t number) const {
    const std::size_t hourly = setting_.gateways[number].pilot == Pilot::barcelona ? 1
                               : setting_.gateways[number].pilot == Pilot::eibar   ? 4
                                                                                   : 2;
    return member.daily ? 24 * hourly : hourly;
  }

  void turn_at(Member& member, Moment when) {
    ++waiting_;
    loop_.at(when, [this, &member] {
      --waiting_;
      turn(member);
    });
  }

  Act choose_act(const Member& member) {
    if (std::uniform_real_distribution<double>(0, 1)(random_) >= plan_.fault_share) {
      return Act::in_order;
    }
    const auto act = static_cast<Act>(1 + random_() % (kActs.size() - 1));
    const bool repeats = act == Act::duplicate || act == Act::correction;
    return repeats && member.next == 0 ? Act::in_order : act;
  }

  void turn(Member& member) {
    const std::size_t number = member.connection->number();
    const std::size_t count = messages_of(member, number);
    member.act = choose_act(member);
    member.cut_done = member.sent_again = member.uncertain = false;
    member.tries = 0;
    member.receipt_id.clear();
    ToSign wanted{member.next, count, member.clock, member.act == Act::correction};
    if (member.act == Act::duplicate || member.act == Act::correction) wanted.first = member.before;
    if (member.act == Act::late) wanted.first = kLongAgo + member.next;
    if (member.act == Act::gap) wanted.first = member.next += count;
    auto request = sign_one(setting_.gateways[number], setting_.samples, setting_.target, wanted);
    if (!request) {
      ++unexpected_["cannot sign: " + request.error().detail];
      return settle(member);
    }
    member.request = *std::move(request);
    if (wanted.first == member.next) {
      member.before = member.next;
      member.next += count;
    }
    if (member.act == Act::forged) {
      // The last digit of the seconds, before the zone "Z".
      char& digit = member.request.envelope[member.request.envelope.rfind("</timestamp>") - 2];
      digit = digit == '1' ? '2' : '1';
    }
    ++sent_;
    messages_ += count;
    member.busy = true;
    member.connection->open();
  }

  void send(Member& member) {
    member.since = Steady::now();
    member.connection->send(member.request.head, member.request.envelope);
  }

  void send_half(Member& member) {
    member.cut_done = true;
    const std::string_view envelope = member.request.envelope;
    member.connection->send(member.request.head, envelope.substr(0, envelope.size() / 2));
    loop_.at(Steady::now() + 50ms, [&member] {
      member.connection->cut();
      member.connection->open();
    });
  }

  bool is_expected(const Member& member, const std::string& outcome, const Answer& answer) const {
    if (member.clock != Duration{}) return outcome == "MessageExpired";
    if (member.act == Act::forged) return outcome == "FailedCheck";
    const bool copy = member.sent_again || member.uncertain;
    if (outcome == kReplayed && copy) {
      return member.receipt_id.empty() || answer.body.find(member.receipt_id) != std::string::npos;
    }
    return outcome == kReceipt && !member.sent_again;
  }

  void acknowledge(Member& member, const Answer& answer) {
    if (answer.status == 200) {
      member.receipt_id = element_text(answer.body, "receiptId");
      if (!receipts_.take(answer.body, member.request)) ++unexpected_["a receipt without id"];
    } else if (!member.receipt_id.empty()) {
      return;  // known from its receipt
    } else {
      member.receipt_id = element_text(answer.body, "receiptId");
    }
    if (member.receipt_id.empty()) return;
    ++receipts_written_;
    acknowledged_ << setting_.gateways[member.connection->number()].tenant << ','
                  << member.receipt_id << '\n';
  }

  void try_again(Member& member, std::chrono::seconds wait) {
    member.connection->close();
    if (++member.tries == kTriesMax) {
      ++unexpected_["given up"];
      return finish(member);
    }
    const Seconds pause = wait * (1 + std::uniform_real_distribution<double>(0, 1)(random_));
    loop_.at(Steady::now() + std::chrono::duration_cast<Steady::duration>(pause),
             [&member] { member.connection->open(); });
  }

  void finish(Member& member) {
    member.connection->close();
    member.busy = false;
    settle(member);
  }

  // The next turn a period later, unless that is after the end.
  void settle(Member& member) {
    const auto next =
        Steady::now() + std::chrono::duration_cast<Steady::duration>(Seconds(period_of(member)));
    if (next < end_) return turn_at(member, next);
    const bool any = waiting_ > 0 || std::any_of(members_.begin(), members_.end(),
                                                 [](const Member& one) { return one.busy; });
    if (!any) loop_.stop();
  }

  const Setting& setting_;
  const SimulationPlan plan_;
  Measurement measurement_;
  ReceiptSample receipts_;
  EventLoop loop_;
  std::vector<Member> members_;  // by gateway
  std::mt19937 random_{20'181'101};
  Moment end_;
  std::ofstream acknowledged_;
  std::size_t waiting_ = 0;
  std::uint64_t sent_ = 0, messages_ = 0, receipts_written_ = 0, busy_ = 0, lost_ = 0;
  std::map<std::string, std::map<std::string, std::uint64_t>> outcomes_;
  std::map<std::string, std::uint64_t> unexpected_;
};

}  // namespace

Result<Json> run_simulation(const Setting& setting, const SimulationPlan& plan) {
  return Simulation(setting, plan).run();
}

}  // namespace district::bench
