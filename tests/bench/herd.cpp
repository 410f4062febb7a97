// The midnight herd: every gateway connects once within a short time.
#include <memory>
#include <random>

#include "receipts.h"
#include "scenarios.h"

namespace district::bench {
namespace {

using namespace std::chrono_literals;

constexpr int kTriesMax = 5;

class Herd final : public Listener {
 public:
  Herd(const Setting& setting, const HerdPlan& plan, Requests requests)
      : setting_(setting),
        plan_(plan),
        measurement_(setting.server),
        receipts_(setting.ca_file, setting.target.host(),
                  std::max<std::size_t>(1, setting.gateways.size() / 40)),
        requests_(std::move(requests)),
        members_(setting.gateways.size()) {
    for (std::size_t i = 0; i < members_.size(); ++i) {
      members_[i].connection = std::make_unique<Connection>(loop_, setting.target, *this, i);
    }
  }

  Result<Json> run() {
    std::uniform_real_distribution<double> moment(0, plan_.seconds);
    measurement_.begin();
    const auto begin = Steady::now();
    for (auto& member : members_) {
      member.due = begin + std::chrono::duration_cast<Steady::duration>(Seconds(moment(random_)));
      loop_.at(member.due, [&member] { member.connection->open(); });
    }
    loop_.at(begin + std::chrono::duration_cast<Steady::duration>(Seconds(plan_.seconds)) + 120s,
             [this] { loop_.stop(); });
    loop_.run();
    measurement_.end();
    DISTRICT_TRY(const auto verified, receipts_.verify());
    auto json = measurement_.to_json();
    json["gateways"] = members_.size();
    json["over_seconds"] = rounded(plan_.seconds);
    json["first_try"] = first_try_;
    json["tried_again"] = tried_again_;
    json["not_let_in"] = not_let_in_;
    json["without_receipt"] = members_.size() - received_;
    json["receipts_verified"] = verified;
    json["messages_per_envelope"] = setting_.messages;
    return json;
  }

  void connected(Connection& connection) override {
    measurement_.count_handshake();
    const auto& request = requests_[connection.number()].front();
    members_[connection.number()].sent = true;
    connection.send(request.head, request.envelope);
  }

  void answered(Connection& connection, const Answer& answer) override {
    Member& member = members_[connection.number()];
    const auto& request = requests_[connection.number()].front();
    const Seconds latency = Steady::now() - member.due;
    measurement_.count(answer.status, latency, request.messages, request.envelope.size());
    if (answer.status == 503) {
      connection.close();
      return try_again(member, answer.retry_after);
    }
    if (answer.status == 200 && receipts_.take(answer.body, request)) {
      ++received_;
      first_try_ += member.tries == 1 ? 1 : 0;
    } else {
      measurement_.complain("status " + std::to_string(answer.status) + " without a receipt");
    }
    connection.close();
    settled();
  }

  void lost(Connection& connection, bool waiting, const std::string& why) override {
    if (!waiting) return;
    Member& member = members_[connection.number()];
    measurement_.count(0, {}, 0, 0);
    if (member.sent) {
      measurement_.complain("connection lost: " + why);
    } else {
      ++not_let_in_;
    }
    try_again(member, 0s);
  }

 private:
  struct Member {
    std::unique_ptr<Connection> connection;
    Moment due;
    int tries = 1;
    bool sent = false;  // over the connection at hand
  };

  // Not all at the same moment again: up to as long once more.
  void try_again(Member& member, std::chrono::seconds wait) {
    member.sent = false;
    if (member.tries++ == kTriesMax) return settled();
    ++tried_again_;
    const Seconds pause =
        std::max(1s, wait) * (1 + std::uniform_real_distribution<double>(0, 1)(random_));
    loop_.at(Steady::now() + std::chrono::duration_cast<Steady::duration>(pause),
             [&member] { member.connection->open(); });
  }

  void settled() {
    if (++settled_ == members_.size()) loop_.stop();
  }

  const Setting& setting_;
  const HerdPlan plan_;
  Measurement measurement_;
  ReceiptSample receipts_;
  Requests requests_;
  EventLoop loop_;
  std::vector<Member> members_;  // by gateway
  std::mt19937 random_{20'181'101};
  std::size_t settled_ = 0, received_ = 0, first_try_ = 0, tried_again_ = 0, not_let_in_ = 0;
};

}  // namespace

Result<Json> run_herd(const Setting& setting, const HerdPlan& plan) {
  const std::vector<std::size_t> counts(setting.gateways.size(), 1);
  DISTRICT_TRY(auto requests, sign_ahead(setting.gateways, setting.samples, setting.target,
                                         {setting.messages, counts, {}}));
  return Herd(setting, plan, std::move(requests)).run();
}

}  // namespace district::bench
