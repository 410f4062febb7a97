#include "gateways.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <fstream>
#include <mutex>
#include <optional>
#include <thread>

#include "connection.h"
#include "gateway/compose.h"
#include "xml/signed_envelope.h"

namespace district::bench {
namespace {

constexpr std::array kPilots{"barcelona", "eibar", "kalundborg"};
constexpr const char* kPosition =
    "<messagePosition><messagePositionX>41.3874</messagePositionX>"
    "<messagePositionY>2.1686</messagePositionY></messagePosition>";
constexpr std::array kSampleFiles{"barcelona_school_2018-03.csv.gz", "eibar_L1_2018-03.csv.gz",
                                  "kalundborg_W2_2018-12.csv.gz"};

// Where a row's times and values are, so that they can be moved and changed.
struct Shifted {
  Duration by;
  const std::string& source;
  bool scaled;

  std::string value(const std::string& text) const {
    return scaled ? text + (text.find('.') == std::string::npos ? ".5" : "5") : text;
  }
  gateway::Row operator()(gateway::IntervalRow row) const {
    row.meter = source;
    row.start -= by;
    row.end -= by;
    row.energy_kwh = value(row.energy_kwh);
    return row;
  }
  gateway::Row operator()(gateway::PowerRow row) const {
    row.installation = source;
    row.at -= by;
    row.power_w = value(row.power_w);
    return row;
  }
  gateway::Row operator()(gateway::RegisterRow row) const {
    row.at -= by;
    row.reading = value(row.reading);
    return row;
  }
  gateway::Row operator()(const gateway::MasterRow& row) const { return row; }
  gateway::Row operator()(const gateway::WrittenMessage& row) const { return row; }
};

std::vector<std::string> split(const std::string& line, char separator) {
  std::vector<std::string> parts{""};
  for (const char c : line) {
    if (c == separator) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

}  // namespace

Result<Pilot> pilot_named(const std::string& name) {
  const auto found = std::find(kPilots.begin(), kPilots.end(), name);
  if (found == kPilots.end()) {
    return fail(ErrorCode::gateway_input, "no pilot " + name, "barcelona, eibar or kalundborg");
  }
  return static_cast<Pilot>(found - kPilots.begin());
}

const char* name_of(Pilot pilot) { return kPilots.at(static_cast<std::size_t>(pilot)); }

Result<std::vector<Gateway>> read_gateways(const std::string& folder) {
  std::ifstream file(folder + "/gateways.csv");
  std::vector<Gateway> gateways;
  std::string line;
  std::getline(file, line);  // header
  while (std::getline(file, line)) {
    const auto columns = split(line, ',');
    if (columns.size() != 4) return fail(ErrorCode::gateway_input, "gateways.csv: " + line);
    DISTRICT_TRY(const auto pilot, pilot_named(columns[1]));
    const std::string base = folder + "/" + columns[3];
    DISTRICT_TRY(auto certificate, crypto::Certificate::from_pem_file(base + ".pem"));
    DISTRICT_TRY(auto key, crypto::PrivateKey::from_pem_file(base + ".key"));
    gateways.push_back({columns[0], pilot, columns[2], std::move(certificate), std::move(key)});
  }
  if (gateways.empty()) {
    return fail(ErrorCode::file_unreadable, folder + "/gateways.csv names no gateway",
                "district-bench make-gateways");
  }
  return gateways;
}

Result<Samples::Month> Samples::read_month(const std::string& file) {
  Month month;
  DISTRICT_TRY(const auto source, gateway::open_rows(file));
  while (true) {
    DISTRICT_TRY(auto row, source->next());
    if (!row) break;
    month.rows.push_back(*std::move(row));
  }
  if (month.rows.size() < 2) return fail(ErrorCode::gateway_input, file + " has too few rows");
  const auto length = *gateway::time_of(month.rows.back()) - *gateway::time_of(month.rows.front());
  month.length = std::chrono::ceil<std::chrono::days>(length) + std::chrono::days(1);
  return month;
}

Result<Samples> Samples::read(const std::string& folder) {
  Samples samples;
  for (const char* name : kSampleFiles) {
    DISTRICT_TRY(auto month, read_month(folder + "/" + name));
    samples.months_.push_back(std::move(month));
  }
  return samples;
}

Result<std::string> Samples::message(Pilot pilot, const std::string& source, std::uint64_t index,
                                     bool scaled) const {
  const Month& rows = month(pilot);
  const auto cycle = static_cast<Duration::rep>(index / rows.rows.size());
  const Shifted shifted{rows.length * cycle, source, scaled};
  const auto row = std::visit(shifted, rows.rows[index % rows.rows.size()]);
  DISTRICT_TRY(auto message,
               gateway::compose_message(row, {.source = source, .valid_from = {}, .now = {}}));
  // Sites that know where they are say so.
  const std::size_t end = message.find("</messageSource>");
  if (end != std::string::npos) message.insert(end, kPosition);
  return message;
}

Result<SignedRequest> sign_one(const Gateway& gateway, const Samples& samples, const Target& target,
                               const ToSign& wanted) {
  std::vector<std::string> messages;
  messages.reserve(wanted.messages);
  for (std::size_t i = 0; i < wanted.messages; ++i) {
    DISTRICT_TRY(auto message,
                 samples.message(gateway.pilot, gateway.source, wanted.first + i, wanted.scaled));
    messages.push_back(std::move(message));
  }
  const std::string body = gateway::compose_body(gateway.tenant, messages);
  messages.clear();
  xml::EnvelopeToSign envelope;
  envelope.body_content = body;
  envelope.created = SystemClock().now() + wanted.ahead;
  DISTRICT_TRY(auto text, xml::write_signed_envelope(envelope, gateway.certificate, gateway.key));
  return SignedRequest{target.post_head(text.envelope.size()), std::move(text.envelope),
                       std::move(text.signature_value), wanted.messages};
}

Result<Requests> sign_ahead(const std::vector<Gateway>& gateways, const Samples& samples,
                            const Target& target, const SigningPlan& plan) {
  Requests requests(gateways.size());
  std::vector<std::pair<std::size_t, std::size_t>> places;  // gateway, number
  for (std::size_t g = 0; g < gateways.size(); ++g) {
    const std::size_t count = g < plan.counts.size() ? plan.counts[g] : 0;
    requests[g].resize(count);
    for (std::size_t i = 0; i < count; ++i) places.emplace_back(g, i);
  }
  std::atomic<std::size_t> next{0};
  std::mutex mutex;  // of problem
  std::optional<Error> problem;
  const auto work = [&] {
    for (std::size_t at = next++; at < places.size(); at = next++) {
      const auto [g, i] = places[at];
      auto request = sign_one(gateways[g], samples, target,
                              {i * plan.messages, plan.messages, plan.ahead, false});
      if (request) {
        requests[g][i] = *std::move(request);
        continue;
      }
      const std::lock_guard lock(mutex);
      problem = request.error();
      next = places.size();
    }
  };
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < std::max(1U, std::thread::hardware_concurrency()); ++i) {
    threads.emplace_back(work);
  }
  for (auto& thread : threads) thread.join();
  if (problem) return fail(*std::move(problem));
  return requests;
}

}  // namespace district::bench
