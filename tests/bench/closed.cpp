// The closed loop, and what is made of it: idle connections beside it, large envelopes.
#include <algorithm>
#include <memory>
#include <utility>

#include "receipts.h"
#include "scenarios.h"

namespace district::bench {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kLostMax = 1000;
// So many receipts of a run are verified, about.
constexpr std::size_t kReceiptsVerified = 40;
constexpr auto kStuckAfter = 120s;

class ClosedLoop final : public Listener {
 public:
  ClosedLoop(const Setting& setting, const ClosedPlan& plan, Requests requests)
      : setting_(setting),
        plan_(plan),
        measurement_(setting.server),
        receipts_(setting.ca_file, setting.target.host(),
                  std::max<std::size_t>(1, plan.count / kReceiptsVerified)),
        requests_(std::move(requests)),
        warm_up_(plan.count < 100 ? 0 : plan.count / 20),
        lanes_(std::min(plan.connections, plan.count)) {
    for (std::size_t i = 0; i < lanes_.size(); ++i) {
      lanes_[i].connection = std::make_unique<Connection>(loop_, setting.target, *this, i);
    }
  }

  Result<Json> run() {
    for (auto& lane : lanes_) {
      if (warm_up_ == 0 && !plan_.one_per_connection) {
        lane.connection->open();
        continue;
      }
      next(lane);
    }
    if (warm_up_ == 0 && plan_.one_per_connection) measurement_.begin();
    watch();
    loop_.run();
    measurement_.end();
    if (!failure_.empty()) return fail(ErrorCode::gateway_unreachable, failure_);
    DISTRICT_TRY(const auto verified, receipts_.verify());
    auto json = measurement_.to_json();
    json["receipts_verified"] = verified;
    json["connections"] = lanes_.size();
    json["messages_per_envelope"] = setting_.messages;
    return json;
  }

  void connected(Connection& connection) override {
    measurement_.count_handshake();
    Lane& lane = lanes_[connection.number()];
    if (lane.busy) return connection.send(lane.request.head, lane.request.envelope);
    // Without a warm-up, all are connected before the first is sent.
    if (++connected_ < lanes_.size()) return;
    measurement_.begin();
    for (auto& each : lanes_) next(each);
  }

  void answered(Connection& connection, const Answer& answer) override {
    Lane& lane = lanes_[connection.number()];
    const Seconds latency = Steady::now() - lane.since;
    lane.busy = false;
    measurement_.count(answer.status, latency, lane.request.messages, lane.request.envelope.size());
    ++answers_;
    if (answer.status == 200) {
      if (!receipts_.take(answer.body, lane.request)) {
        measurement_.complain("status 200 without a receipt");
      }
      ++settled_;
    } else if (answer.status == 503) {
      put_back(lane);
    } else {
      measurement_.complain("status " + std::to_string(answer.status));
      ++settled_;  // it would be refused again
    }
    if (answers_ == warm_up_) measurement_.begin();
    if (settled_ == plan_.count || answers_ > 4 * plan_.count + 1000) return loop_.stop();
    if (plan_.one_per_connection) connection.close();
    next(lane);
  }

  void lost(Connection& connection, bool waiting, const std::string& why) override {
    Lane& lane = lanes_[connection.number()];
    if (waiting) {
      measurement_.count(0, {}, 0, 0);
      measurement_.complain("connection lost: " + why);
    }
    if (++lost_ > kLostMax || !setting_.server.running()) {
      failure_ = "connections are lost again and again: " + why;
      return loop_.stop();
    }
    if (lane.busy) {
      put_back(lane);
      lane.busy = false;
      loop_.at(Steady::now() + 20ms, [this, &lane] { next(lane); });
    } else if (waiting) {
      loop_.at(Steady::now() + 20ms, [&lane] { lane.connection->open(); });
    }
  }

 private:
  struct Lane {
    std::unique_ptr<Connection> connection;
    bool busy = false;
    std::size_t gateway = 0;
    SignedRequest request;
    Moment since;
  };

  // Gateways take turns; a lane is not bound to one of them.
  bool take(Lane& lane) {
    for (std::size_t tried = 0; tried < requests_.size(); ++tried) {
      const std::size_t gateway = turn_++ % requests_.size();
      auto& waiting = requests_[gateway];
      if (waiting.empty()) continue;
      lane.request = std::move(waiting.front());
      waiting.pop_front();
      lane.gateway = gateway;
      return true;
    }
    return false;
  }

  void put_back(Lane& lane) { requests_[lane.gateway].push_back(std::move(lane.request)); }

  void next(Lane& lane) {
    if (!take(lane)) return;  // the others finish what is left
    lane.busy = true;
    lane.since = Steady::now();
    if (lane.connection->ready()) {
      lane.connection->send(lane.request.head, lane.request.envelope);
    } else {
      lane.connection->open();
    }
  }

  void watch() {
    loop_.at(Steady::now() + kStuckAfter, [this, before = answers_] {
      if (before != answers_) return watch();
      failure_ = "the server has not answered for two minutes";
      loop_.stop();
    });
  }

  const Setting& setting_;
  const ClosedPlan plan_;
  Measurement measurement_;
  ReceiptSample receipts_;
  Requests requests_;
  const std::size_t warm_up_;
  EventLoop loop_;
  std::vector<Lane> lanes_;
  std::size_t turn_ = 0, connected_ = 0, answers_ = 0, settled_ = 0, lost_ = 0;
  std::string failure_;
};

std::vector<std::size_t> shared_out(std::size_t count, std::size_t gateways) {
  std::vector<std::size_t> counts(gateways, count / gateways);
  for (std::size_t i = 0; i < count % gateways; ++i) ++counts[i];
  return counts;
}

// Many connections that have sent one small request and then nothing more.
class IdleCrowd final : public Listener {
 public:
  IdleCrowd(const Setting& setting, std::size_t count)
      : setting_(setting), health_(setting.target.get_request("/health")) {
    for (std::size_t i = 0; i < count; ++i) {
      all_.push_back(std::make_unique<Connection>(loop_, setting.target, *this, i + 1000));
    }
  }

  // As many at a time as a server lets wait for their handshake.
  Result<Ok> open_all() {
    constexpr std::size_t kAtOnce = 32;
    for (; opened_ < std::min(kAtOnce, all_.size()); ++opened_) all_[opened_]->open();
    loop_.run();
    if (resting_ > 0) return Ok{};
    return fail(ErrorCode::gateway_unreachable, "no idle connection could be opened: " + problem_);
  }

  std::size_t still_open() const {
    return static_cast<std::size_t>(
        std::count_if(all_.begin(), all_.end(), [](const auto& one) { return one->ready(); }));
  }
  // Takes note of those that the server has closed meanwhile.
  void look_again() {
    loop_.at(Steady::now() + 50ms, [this] { loop_.stop(); });
    loop_.run();
  }
  const std::string& problem() const { return problem_; }

  void connected(Connection& connection) override { connection.send(health_, {}); }
  void answered(Connection& connection, const Answer&) override {
    if (connection.ready()) ++resting_;
    settled();
  }
  void lost(Connection&, bool waiting, const std::string& why) override {
    problem_ = why;
    if (waiting) settled();
  }

 private:
  void settled() {
    ++settled_;
    if (opened_ < all_.size()) all_[opened_++]->open();
    if (settled_ == all_.size()) loop_.stop();
  }

  const Setting& setting_;
  const std::string health_;
  EventLoop loop_;
  std::vector<std::unique_ptr<Connection>> all_;
  std::size_t opened_ = 0, settled_ = 0, resting_ = 0;
  std::string problem_;
};

}  // namespace

Result<Json> run_closed(const Setting& setting, const ClosedPlan& plan) {
  DISTRICT_TRY(auto requests,
               sign_ahead(setting.gateways, setting.samples, setting.target,
                          {setting.messages, shared_out(plan.count, setting.gateways.size()), {}}));
  return ClosedLoop(setting, plan, std::move(requests)).run();
}

Result<Json> run_idle(const Setting& setting, const IdlePlan& plan) {
  const ClosedPlan loop{plan.connections, plan.count, false};
  // What the server keeps from its first requests is not the idle connections'.
  DISTRICT_TRY(auto warm_up, run_closed(setting, loop));
  DISTRICT_TRY(auto alone, run_closed(setting, loop));
  const auto before = setting.server.use();
  IdleCrowd crowd(setting, plan.idle);
  DISTRICT_CHECK(crowd.open_all());
  const std::size_t open = crowd.still_open();
  const auto with_idle = setting.server.use();
  DISTRICT_TRY(auto beside, run_closed(setting, loop));
  crowd.look_again();

  Json json;
  json["idle_connections"] = open;
  json["idle_connections_after"] = crowd.still_open();
  if (!crowd.problem().empty()) json["idle_problem"] = crowd.problem();
  if (setting.server.known() && open > 0) {
    const double more = static_cast<double>(with_idle.resident_octets) -
                        static_cast<double>(before.resident_octets);
    json["rss_before_mib"] = rounded(static_cast<double>(before.resident_octets) / (1024 * 1024));
    json["rss_with_idle_mib"] =
        rounded(static_cast<double>(with_idle.resident_octets) / (1024 * 1024));
    json["rss_per_connection_kib"] = rounded(more / 1024 / static_cast<double>(open));
  }
  const double rate_alone = alone.at("accepted_per_s").get<double>();
  json["rate_beside_to_alone"] =
      rounded(rate_alone > 0 ? beside.at("accepted_per_s").get<double>() / rate_alone : 0);
  json["alone"] = std::move(alone);
  json["beside"] = std::move(beside);
  return json;
}

Result<Json> run_large(const Setting& setting, const LargePlan& plan) {
  // The size of one message decides how many are needed.
  DISTRICT_TRY(const auto sample, setting.samples.message(setting.gateways.front().pilot,
                                                          setting.gateways.front().source, 0));
  Setting large = setting;
  large.messages = plan.octets / sample.size() + 1;
  std::vector<std::size_t> counts(setting.gateways.size(), 0);
  counts.front() = plan.count;
  DISTRICT_TRY(auto requests, sign_ahead(setting.gateways, setting.samples, setting.target,
                                         {large.messages, counts, {}}));
  DISTRICT_TRY(auto json, ClosedLoop(large, {1, plan.count, false}, std::move(requests)).run());
  if (setting.server.known()) {
    const auto& server = json.at("server");
    const double cpu =
        server.at("cpu_user_s").get<double>() + server.at("cpu_system_s").get<double>();
    const double megabytes =
        json.at("envelope_octets").get<double>() * json.at("accepted").get<double>() / 1e6;
    json["server"]["mb_per_cpu_s"] = rounded(cpu > 0 ? megabytes / cpu : 0);
    json["server"]["rss_above_idle_mib"] = rounded(server.at("rss_peak_mib").get<double>() -
                                                   server.at("rss_before_mib").get<double>());
  }
  return json;
}

}  // namespace district::bench
