// The open loop: envelopes fall due at a fixed rate, whether the server keeps up or not.
#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <random>

#include "receipts.h"
#include "scenarios.h"

namespace district::bench {
namespace {

using namespace std::chrono_literals;

constexpr auto kGrace = 10s;  // for what is under way when the time is over

// Which part of all envelopes each gateway sends. heavy: of the first tenant; 0: all send alike.
std::vector<double> shares_of(const std::vector<Gateway>& gateways, double heavy) {
  std::map<std::string, std::size_t> members;
  for (const auto& gateway : gateways) ++members[gateway.tenant];
  std::vector<double> shares;
  for (const auto& gateway : gateways) {
    double share = 1.0 / static_cast<double>(members.size());
    if (members.size() > 1 && heavy > 0) {
      share = gateway.tenant == members.begin()->first
                  ? heavy
                  : (1 - heavy) / static_cast<double>(members.size() - 1);
    }
    shares.push_back(share / static_cast<double>(members[gateway.tenant]));
  }
  return shares;
}

class OpenLoop final : public Listener {
 public:
  OpenLoop(const Setting& setting, const OpenPlan& plan, Requests requests)
      : setting_(setting),
        plan_(plan),
        measurement_(setting.server),
        receipts_(
            setting.ca_file, setting.target.host(),
            std::max<std::size_t>(1, static_cast<std::size_t>(plan.rate * plan.seconds) / 40)),
        requests_(std::move(requests)),
        senders_(setting.gateways.size()) {
    const auto shares = shares_of(setting.gateways, plan.heavy_share);
    for (std::size_t g = 0; g < senders_.size(); ++g) {
      const double wanted = shares[g] * static_cast<double>(plan.connections);
      for (std::size_t i = 0; i < std::max<std::size_t>(1, static_cast<std::size_t>(wanted)); ++i) {
        Lane lane;
        lane.gateway = g;
        lane.connection = std::make_unique<Connection>(loop_, setting.target, *this, lanes_.size());
        lanes_.push_back(std::move(lane));
      }
    }
    for (std::size_t g = 0; g < setting.gateways.size(); ++g) {
      by_tenant_[setting.gateways[g].tenant].push_back(g);
    }
  }

  Result<Json> run() {
    for (auto& lane : lanes_) lane.connection->open();
    loop_.at(Steady::now() + 30s, [this] {
      if (!started_) loop_.stop();
    });
    loop_.run();
    if (!started_) return fail(ErrorCode::gateway_unreachable, "cannot connect: " + problem_);
    DISTRICT_TRY(const auto verified, receipts_.verify());
    auto json = measurement_.to_json();
    json["rate_offered"] = rounded(plan_.rate);
    json["offered"] = offered_;
    json["never_sent"] = never_sent_;
    json["ran_out"] = ran_out_;
    json["refused_without_retry_after"] = without_retry_after_;
    json["reconnections"] = reconnections_;
    json["receipts_verified"] = verified;
    json["connections"] = lanes_.size();
    json["messages_per_envelope"] = setting_.messages;
    for (auto& [tenant, use] : tenants_) {
      json["tenants"][tenant] = {{"offered", use.offered},
                                 {"accepted", use.accepted},
                                 {"refused", use.refused},
                                 {"latency", use.latencies.summary()}};
    }
    return json;
  }

  void connected(Connection& connection) override {
    measurement_.count_handshake();
    if (started_) return free_again(connection.number());
    if (++connected_ < lanes_.size()) return;
    started_ = true;
    for (std::size_t i = 0; i < lanes_.size(); ++i) senders_[lanes_[i].gateway].free.push_back(i);
    measurement_.begin();
    begun_ = Steady::now();
    arrive();
  }

  void answered(Connection& connection, const Answer& answer) override {
    Lane& lane = lanes_[connection.number()];
    finish(lane, answer);
    if (connection.ready()) return free_again(connection.number());
    ++reconnections_;
    connection.open();
  }

  void lost(Connection& connection, bool waiting, const std::string& why) override {
    Lane& lane = lanes_[connection.number()];
    problem_ = why;
    if (lane.busy) {
      finish(lane, Answer{});
    } else if (!waiting) {
      auto& free = senders_[lane.gateway].free;
      free.erase(std::remove(free.begin(), free.end(), connection.number()), free.end());
    }
    ++reconnections_;
    if (over_ && under_way_ == 0) return;
    loop_.at(Steady::now() + 50ms, [&connection] {
      if (!connection.open_or_opening()) connection.open();
    });
  }

 private:
  struct Lane {
    std::unique_ptr<Connection> connection;
    std::size_t gateway = 0;
    bool busy = false;
    SignedRequest request;
    Moment due;
  };
  struct Sender {
    std::vector<std::size_t> free;  // lanes
    std::deque<Moment> due;         // that no lane was free for
  };
  struct Tenant {
    std::uint64_t offered = 0, accepted = 0, refused = 0;
    Latencies latencies;
  };

  // The heavy tenant's share, then any gateway of the tenants in turn.
  std::size_t choose_gateway() {
    auto tenant = by_tenant_.begin();
    if (by_tenant_.size() > 1 && plan_.heavy_share > 0) {
      if (share_(random_) >= plan_.heavy_share) {
        std::advance(tenant, 1 + static_cast<long>(random_() % (by_tenant_.size() - 1)));
      }
    } else {
      std::advance(tenant, static_cast<long>(random_() % by_tenant_.size()));
    }
    return tenant->second[random_() % tenant->second.size()];
  }

  void arrive() {
    const auto now = Steady::now();
    const Seconds period(1 / plan_.rate);
    while (true) {
      const auto due = begun_ + std::chrono::duration_cast<Steady::duration>(
                                    period * static_cast<double>(offered_));
      if (due - begun_ >= Seconds(plan_.seconds)) return finish_up();
      if (due > now) return loop_.at(due, [this] { arrive(); });
      ++offered_;
      const std::size_t gateway = choose_gateway();
      ++tenants_[setting_.gateways[gateway].tenant].offered;
      Sender& sender = senders_[gateway];
      sender.due.push_back(due);
      if (sender.free.empty()) continue;
      const std::size_t lane = sender.free.back();
      sender.free.pop_back();
      send_next(lane);
    }
  }

  void free_again(std::size_t number) {
    lanes_[number].busy = false;
    send_next(number);
  }

  void send_next(std::size_t number) {
    Lane& lane = lanes_[number];
    Sender& sender = senders_[lane.gateway];
    auto& waiting = requests_[lane.gateway];
    while (!sender.due.empty() && waiting.empty()) {
      ++ran_out_;
      sender.due.pop_front();
    }
    if (sender.due.empty()) return sender.free.push_back(number);
    lane.due = sender.due.front();
    sender.due.pop_front();
    lane.request = std::move(waiting.front());
    waiting.pop_front();
    lane.busy = true;
    ++under_way_;
    lane.connection->send(lane.request.head, lane.request.envelope);
  }

  void finish(Lane& lane, const Answer& answer) {
    const Seconds latency = Steady::now() - lane.due;
    lane.busy = false;
    --under_way_;
    measurement_.count(answer.status, latency, lane.request.messages, lane.request.envelope.size());
    Tenant& tenant = tenants_[setting_.gateways[lane.gateway].tenant];
    if (answer.status == 200) {
      ++tenant.accepted;
      tenant.latencies.add(latency);
      if (!receipts_.take(answer.body, lane.request)) {
        measurement_.complain("status 200 without a receipt");
      }
    } else {
      ++tenant.refused;
      if (answer.status == 503) {
        if (answer.retry_after.count() == 0) ++without_retry_after_;
      } else if (answer.status != 0) {
        measurement_.complain("status " + std::to_string(answer.status));
      } else {
        measurement_.complain("connection lost: " + problem_);
      }
      if (answer.status == 503) requests_[lane.gateway].push_back(std::move(lane.request));
    }
    if (over_ && under_way_ == 0) loop_.stop();
  }

  // Rates are of the time in which envelopes fell due; what is under way then still counts as
  // an answer for its latency, and what no connection was free for was never sent.
  void finish_up() {
    over_ = true;
    measurement_.end();
    for (auto& sender : senders_) {
      never_sent_ += sender.due.size();
      sender.due.clear();
    }
    if (under_way_ == 0) return loop_.stop();
    loop_.at(Steady::now() + kGrace, [this] { loop_.stop(); });
  }

  const Setting& setting_;
  const OpenPlan plan_;
  Measurement measurement_;
  ReceiptSample receipts_;
  Requests requests_;
  EventLoop loop_;
  std::vector<Sender> senders_;  // by gateway
  std::vector<Lane> lanes_;
  std::map<std::string, std::vector<std::size_t>> by_tenant_;
  std::map<std::string, Tenant> tenants_;
  std::mt19937 random_{20'181'101};  // the same arrivals in every run
  std::uniform_real_distribution<double> share_{0, 1};
  Moment begun_;
  bool started_ = false, over_ = false;
  std::size_t connected_ = 0, under_way_ = 0;
  std::uint64_t offered_ = 0, never_sent_ = 0, ran_out_ = 0, without_retry_after_ = 0,
                reconnections_ = 0;
  std::string problem_;
};

}  // namespace

Result<Json> run_open(const Setting& setting, const OpenPlan& plan) {
  const double due = plan.rate * plan.seconds;
  const double count = plan.count == 0 ? due : std::min(static_cast<double>(plan.count), due);
  // Whoever sends more than a fair part may still get no more than that, and who sends less should
  // get all of it. Turns are random: everybody needs some more.
  const double fair = count / static_cast<double>(setting.gateways.size());
  std::vector<std::size_t> counts;
  for (const double share : shares_of(setting.gateways, plan.heavy_share)) {
    const double wanted = std::min(due * share, std::max(count * share, fair));
    counts.push_back(static_cast<std::size_t>(1.1 * wanted) + 20);
  }
  DISTRICT_TRY(auto requests, sign_ahead(setting.gateways, setting.samples, setting.target,
                                         {setting.messages, counts, {}}));
  return OpenLoop(setting, plan, std::move(requests)).run();
}

}  // namespace district::bench
