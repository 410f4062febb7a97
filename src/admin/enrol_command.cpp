// districtctl enrol
#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <map>

#include "admin/session.h"
#include "base/csv.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/near_name.h"
#include "store/trust_store.h"
#include "trust/changes.h"
#include "trust/trust.h"

namespace district::admin {
namespace {

struct EnrolOptions {
  std::string tenant, certificate_file, csv_file;
  std::string allow_sha1_until, valid_from, valid_to;
};

// A request for one certificate, as text. `origin` says in errors where it stood.
struct EnrolRow {
  std::string origin;
  std::size_t line = 0;  // of the CSV file; 0: the command line
  std::string tenant, certificate_file, allow_sha1_until, valid_from, valid_to;
};

// The columns of the CSV file by name, so that their order does not matter.
Result<std::map<std::string, std::size_t>> columns_of(const std::string& path,
                                                      const CsvRecord& header) {
  std::map<std::string, std::size_t> columns;
  for (std::size_t i = 0; i < header.fields.size(); ++i) {
    const auto& name = header.fields[i];
    static const std::vector<std::string> known{"tenant", "certificate", "allow_sha1_until",
                                                "valid_from", "valid_to"};
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      return fail(ErrorCode::admin_invalid,
                  path + " has an unknown column '" + name + "'" + did_you_mean(name, known),
                  "its columns are tenant,certificate,allow_sha1_until,valid_from,valid_to");
    }
    if (!columns.emplace(name, i).second) {
      return fail(ErrorCode::admin_invalid, path + " has the column '" + name + "' twice");
    }
  }
  if (!columns.contains("tenant") || !columns.contains("certificate")) {
    return fail(ErrorCode::admin_invalid, path + " lacks the column tenant or certificate",
                "its first line is tenant,certificate,allow_sha1_until,valid_from,valid_to");
  }
  return columns;
}

Result<std::vector<EnrolRow>> rows_of_csv(const std::string& path) {
  DISTRICT_TRY(const auto text, read_file(path, limits::kListFileBytesMax));
  auto records = read_csv(text, {ErrorCode::admin_invalid, path + " line "});
  if (!records) return fail(std::move(records).error());
  if (records->empty()) {
    return fail(ErrorCode::admin_invalid, path + " is empty",
                "its first line is tenant,certificate,allow_sha1_until,valid_from,valid_to");
  }
  const auto& header = records->front().fields;
  if (const auto separator = other_separator(header.front());
      header.size() == 1 && !separator.empty()) {
    return fail(ErrorCode::admin_invalid,
                path + ": the fields are separated by " + separator + ", commas are expected");
  }
  DISTRICT_TRY(const auto columns, columns_of(path, records->front()));
  const auto folder = std::filesystem::path(path).parent_path();
  std::vector<EnrolRow> rows;
  for (auto record = records->begin() + 1; record != records->end(); ++record) {
    const auto origin = path + " line " + std::to_string(record->line);
    if (record->fields.size() != columns.size()) {
      return fail(ErrorCode::admin_invalid, origin + " has " +
                                                std::to_string(record->fields.size()) +
                                                " fields, not " + std::to_string(columns.size()));
    }
    const auto field = [&](const char* name) {
      const auto column = columns.find(name);
      return column == columns.end() ? std::string() : record->fields[column->second];
    };
    rows.push_back({origin, record->line, field("tenant"), (folder / field("certificate")).string(),
                    field("allow_sha1_until"), field("valid_from"), field("valid_to")});
  }
  return rows;
}

Result<trust::EnrolRequest> request_of(const EnrolRow& row) {
  if (row.tenant.empty()) return fail(ErrorCode::admin_invalid, "the tenant is missing");
  DISTRICT_TRY(auto certificate, crypto::Certificate::from_pem_file(row.certificate_file));
  DISTRICT_TRY(const auto valid_from, read_instant("valid from", row.valid_from));
  DISTRICT_TRY(const auto valid_to, read_instant("valid to", row.valid_to));
  DISTRICT_TRY(const auto sha1_until, read_instant("allow SHA-1 until", row.allow_sha1_until));
  return trust::EnrolRequest{row.tenant, std::move(certificate), valid_from, valid_to, sha1_until,
                             row.origin};
}

// Every row is tried, so that one run names all lines that need mending.
Result<std::vector<trust::EnrolRequest>> requests_of(Session& session,
                                                     const std::vector<EnrolRow>& rows) {
  std::vector<trust::EnrolRequest> requests;
  Error errors{ErrorCode::admin_invalid, {}, {}, {}, {}};
  std::size_t wrong = 0;
  std::map<std::pair<std::string, Sha256Digest>, std::size_t> lines;
  Progress progress(session.terminal, "reading certificates");
  for (const auto& row : rows) {
    auto request = request_of(row);
    if (request) {
      const auto key = std::make_pair(request->tenant, request->certificate.sha256());
      const auto [first, is_new] = lines.emplace(key, row.line);
      if (!is_new) {
        request = fail(ErrorCode::admin_invalid, "the same certificate and tenant as in line " +
                                                     std::to_string(first->second));
      }
    }
    progress.update(requests.size() + wrong + 1, rows.size());
    if (request) {
      requests.push_back(std::move(*request));
      continue;
    }
    if (row.line == 0) return fail(std::move(request).error());
    if (++wrong > limits::kViolationsMax) continue;
    const auto& hint = request.error().hint;
    errors.violations.push_back({0,
                                 {},
                                 static_cast<long>(row.line),
                                 request.error().detail + (hint.empty() ? "" : " (" + hint + ")")});
  }
  if (wrong == 0) return requests;
  errors.detail = std::to_string(wrong) + " of " + std::to_string(rows.size()) +
                  " lines cannot be enrolled; nothing was changed";
  return fail(std::move(errors));
}

bool is_active(const Enrolment& enrolment, Instant now) {
  return !enrolment.revoked_at && (!enrolment.valid_to || *enrolment.valid_to > now);
}

// Whether the enrolment already has all that is asked for.
bool is_identical(const Enrolment& enrolment, const trust::EnrolRequest& request) {
  return enrolment.tenant == request.tenant &&
         enrolment.certificate_sha256 == request.certificate.sha256() &&
         enrolment.valid_to == request.valid_to &&
         enrolment.allow_sha1_until == request.allow_sha1_until &&
         (!request.valid_from || *request.valid_from == enrolment.valid_from);
}

// Removes the requests that are in force already, and gives them back.
std::vector<trust::EnrolRequest> take_identical(std::vector<trust::EnrolRequest>& requests,
                                                const store::TrustRecords& records, Instant now) {
  std::multimap<Sha256Digest, const Enrolment*> by_certificate;
  for (const auto& enrolment : records.enrolments) {
    if (is_active(enrolment, now)) by_certificate.emplace(enrolment.certificate_sha256, &enrolment);
  }
  const auto is_new = [&](const trust::EnrolRequest& request) {
    const auto [begin, end] = by_certificate.equal_range(request.certificate.sha256());
    return std::none_of(begin, end,
                        [&](const auto& entry) { return is_identical(*entry.second, request); });
  };
  const auto middle = std::stable_partition(requests.begin(), requests.end(), is_new);
  std::vector<trust::EnrolRequest> identical(std::make_move_iterator(middle),
                                             std::make_move_iterator(requests.end()));
  requests.erase(middle, requests.end());
  return identical;
}

void write_enrolled(Session& session, const std::vector<trust::EnrolRequest>& enrolled,
                    const std::vector<trust::EnrolRequest>& unchanged) {
  if (session.json) {
    Listing listing({{"tenant", ""}, {"fingerprint", ""}, {"subject", ""}, {"outcome", ""}});
    const auto add_all = [&listing](const auto& requests, const char* outcome) {
      for (const auto& request : requests) {
        listing.add({request.tenant, to_hex(request.certificate.sha256()),
                     request.certificate.subject(), outcome});
      }
    };
    add_all(enrolled, "enrolled");
    add_all(unchanged, "unchanged");
    return listing.write(session.terminal.out(), Format::json);
  }
  auto& out = session.terminal.out();
  for (const auto& request : enrolled) {
    out << to_hex(request.certificate.sha256()) << "  tenant " << printable(request.tenant) << "  "
        << printable(request.certificate.subject()) << '\n';
  }
  for (const auto& request : unchanged) {
    session.terminal.note("already enrolled for tenant " + request.tenant +
                          ", unchanged: " + to_hex(request.certificate.sha256()));
  }
}

Result<int> enrol(Session& session, const EnrolOptions& options) {
  const bool from_csv = !options.csv_file.empty();
  if (!from_csv && (options.tenant.empty() || options.certificate_file.empty())) {
    return fail(ErrorCode::admin_invalid, "--tenant CODE and CERT.pem are needed",
                "or give --csv FILE for many");
  }
  std::vector<EnrolRow> rows{{"", 0, options.tenant, options.certificate_file,
                              options.allow_sha1_until, options.valid_from, options.valid_to}};
  if (from_csv) {
    DISTRICT_TRY(rows, rows_of_csv(options.csv_file));
  }
  DISTRICT_TRY(auto requests, requests_of(session, rows));
  DISTRICT_TRY(const auto database, session.open(store::OpenMode::existing));
  DISTRICT_TRY(const auto records, store::TrustStore(*database).load());
  const auto unchanged = take_identical(requests, records, session.now());
  if (!requests.empty()) {
    DISTRICT_CHECK(trust::enrol(*database, requests, session.now()));
  }
  write_enrolled(session, requests, unchanged);
  return exit_ok;
}

}  // namespace

void add_enrol_command(CLI::App& app, Session& session) {
  auto options = std::make_shared<EnrolOptions>();
  auto* command = app.add_subcommand("enrol", "Let certificates sign for a tenant, from now on");
  auto* certificate = command
                          ->add_option("certificate", options->certificate_file,
                                       "Certificate, PEM; authorities' beside it are left out")
                          ->type_name("CERT.pem");
  auto* tenant =
      command->add_option("--tenant", options->tenant, "Its tenantCode")->type_name("CODE");
  auto* sha1 = command
                   ->add_option("--allow-sha1-until", options->allow_sha1_until,
                                "Accept rsa-sha1 from it until then (exclusive)")
                   ->type_name("DATE");
  auto* from =
      command
          ->add_option("--valid-from", options->valid_from, "May sign from then on; default: now")
          ->type_name("DATE");
  auto* to = command->add_option("--valid-to", options->valid_to, "May sign until then (exclusive)")
                 ->type_name("DATE");
  command
      ->add_option(
          "--csv", options->csv_file,
          "Enrol all of a CSV file or, if any line is wrong, none. Columns: tenant, "
          "certificate (path relative to the file), allow_sha1_until, valid_from, valid_to")
      ->type_name("FILE")
      ->excludes(certificate)
      ->excludes(tenant)
      ->excludes(sha1)
      ->excludes(from)
      ->excludes(to);
  command->footer(
      "DATE is a day (2027-01-01: midnight UTC) or an instant (2027-01-01T12:00:00Z).\n\n"
      "Examples:\n"
      "  districtctl --data /var/lib/district enrol --tenant 20 barcelona.pem\n"
      "  districtctl --data /var/lib/district enrol --tenant 10 old.pem --allow-sha1-until "
      "2027-01-01\n"
      "  districtctl --data /var/lib/district enrol --csv enrol.csv");
  command->callback([&session, options] {
    session.action = [&session, options] { return enrol(session, *options); };
  });
}

}  // namespace district::admin
