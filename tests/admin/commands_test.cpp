// g++ 12 sees uninitialised members within std::regex when it compiles for a sanitizer.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"

#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>

#include "../support/signed_archive.h"
#include "../support/tamper.h"
#include "admin/cli.h"
#include "base/csv.h"
#include "crypto/certificate.h"
#include "crypto/digest.h"

using namespace district;
using nlohmann::json;
using test::energy;

namespace {

struct Outcome {
  int code = 0;
  std::string out, err;
};

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// districtctl on a data folder of its own, as if at the hour at which pilots()' certificates hold.
struct Folder {
  test::TemporaryFolder folder;
  test::SteppedClock clock;
  test::PlainOperationReader operations;

  std::string data_folder() const { return folder.path().string(); }

  static Outcome run_on(const std::string& data, std::vector<std::string> arguments,
                        const Clock& clock, const validate::OperationReader& operations) {
    arguments.insert(arguments.begin(), {"--data", data});
    std::ostringstream out, err;
    const int code = admin::run(arguments, {out, err, false, clock, operations});
    return {code, out.str(), err.str()};
  }
  Outcome run(const std::vector<std::string>& arguments) {
    clock.step();
    return run_on(data_folder(), arguments, clock, operations);
  }
  json run_json(std::vector<std::string> arguments) {
    arguments.emplace_back("--json");
    const auto outcome = run(arguments);
    BOOST_TEST(outcome.code == 0, outcome.err);
    return json::parse(outcome.out);
  }
  std::string write(const std::string& name, const std::string& content) {
    std::ofstream(folder.file(name), std::ios::binary) << content;
    return folder.file(name);
  }
  void add_tenant(const std::string& code = "20") {
    const auto outcome = run({"tenant", "add", code, "--name", "Barcelona, shops", "--zone",
                              "Europe/Madrid", "--content-type", "001/0.0.1"});
    BOOST_TEST(outcome.code == 0, outcome.err);
  }
};

std::string certificate(const std::string& name = "barcelona") {
  return test::pilots().certificate_file(name);
}

// As a shell has them, up to what is done with the output.
std::vector<std::string> words_of(const std::string& line) {
  std::vector<std::string> words(1);
  char quote = 0;
  for (const char c : line) {
    if (quote == 0 && (c == '|' || c == '>' || c == '&')) break;
    if (quote == 0 && (c == '\'' || c == '"')) {
      quote = c;
    } else if (c == quote) {
      quote = 0;
    } else if (c == ' ' && quote == 0) {
      if (!words.back().empty()) words.emplace_back();
    } else {
      words.back() += c;
    }
  }
  if (words.back().empty()) words.pop_back();
  return words;
}

// The reference has a section for the command, and names each option that its help has.
void check_documented(const std::vector<std::string>& command, const std::string& help) {
  std::ifstream file(std::string(DISTRICT_SOURCE_DIR) + "/docs/reference/districtctl.md");
  const std::string reference{std::istreambuf_iterator<char>(file), {}};
  std::string title = "\n##";
  for (const auto& word : command) title += " " + word;
  BOOST_TEST(contains(reference, title + "\n"), title);
  static const std::regex option("--[a-z][a-z0-9-]+");
  for (std::sregex_iterator found(help.begin(), help.end(), option), end; found != end; ++found) {
    BOOST_TEST(contains(reference, found->str()), title + " " + found->str());
  }
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(usage, Folder)

BOOST_AUTO_TEST_CASE(help_and_version_go_to_stdout_and_every_command_has_an_example) {
  BOOST_TEST(contains(run({"--version"}).out, "districtctl "));
  for (const auto& command : std::vector<std::vector<std::string>>{{"tenant", "add"},
                                                                   {"tenant", "list"},
                                                                   {"tenant", "show"},
                                                                   {"apikey", "create"},
                                                                   {"apikey", "list"},
                                                                   {"apikey", "revoke"},
                                                                   {"enrol"},
                                                                   {"revoke"},
                                                                   {"certificate", "list"},
                                                                   {"certificate", "show"},
                                                                   {"envelope", "list"},
                                                                   {"envelope", "show"},
                                                                   {"rejection", "list"},
                                                                   {"rejection", "show"},
                                                                   {"check"},
                                                                   {"kpi"},
                                                                   {"kpi", "explain"},
                                                                   {"kpi", "catalogue"},
                                                                   {"kpi", "recompute"},
                                                                   {"site", "import"},
                                                                   {"site", "list"},
                                                                   {"site", "show"},
                                                                   {"site", "show-import"},
                                                                   {"content", "list"},
                                                                   {"content", "check"},
                                                                   {"log", "verify"},
                                                                   {"log", "head"},
                                                                   {"status"},
                                                                   {"audit", "replay"},
                                                                   {"audit", "verify"}}) {
    auto arguments = command;
    arguments.emplace_back("--help");
    const auto outcome = run(arguments);
    BOOST_TEST(outcome.code == admin::exit_ok);
    BOOST_TEST(contains(outcome.out, "Example"), command.front());
    BOOST_TEST(outcome.err.empty());
    check_documented(command, outcome.out);
  }
}

// Of every command and group, whatever they are: what its help shows can be typed as it stands.
// None of them finds a database.
BOOST_AUTO_TEST_CASE(every_help_has_examples_that_parse) {
  const auto nowhere = folder.file("nowhere");
  std::vector<std::vector<std::string>> pending{{}};
  std::size_t examples = 0;
  while (!pending.empty()) {
    const auto command = pending.back();
    pending.pop_back();
    auto arguments = command;
    arguments.emplace_back("--help");
    const auto help = run(arguments).out;
    const auto name = command.empty() ? std::string("districtctl") : command.back();
    BOOST_TEST(contains(help, "\n  districtctl "), name);
    std::istringstream lines(help);
    bool subcommands = false;
    for (std::string line; std::getline(lines, line);) {
      if (line == "Subcommands:") subcommands = true;
      if (line.empty()) subcommands = false;
      if (subcommands && line.starts_with("  ") && line[2] != ' ') {
        pending.push_back(command);
        pending.back().push_back(line.substr(2, line.find(' ', 2) - 2));
      }
      if (!line.starts_with("  districtctl ")) continue;
      for (std::string next; line.ends_with('\\') && std::getline(lines, next);)
        line.replace(line.size() - 1, 1, next);
      ++examples;
      for (const std::string known : {"/var/lib/district", "/etc/district/district.toml"}) {
        if (const auto at = line.find(known); at != std::string::npos)
          line.replace(at, known.size(), nowhere);
      }
      const auto words = words_of(line);
      std::ostringstream out, err;
      static_cast<void>(
          admin::run({words.begin() + 1, words.end()}, {out, err, false, clock, operations}));
      BOOST_TEST(!contains(err.str(), "--help' explains it"), line << "\n" << err.str());
      BOOST_TEST(!std::filesystem::exists(nowhere));
    }
  }
  BOOST_TEST(examples > 60U);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_written_is_not_done) {
  add_tenant();
  std::ofstream full("/dev/full");
  std::ostringstream err;
  for (const auto& arguments : std::vector<std::vector<std::string>>{
           {"--help"}, {"--data", data_folder(), "tenant", "list"}}) {
    full.clear();
    BOOST_TEST(admin::run(arguments, {full, err, false, clock, operations}) == admin::exit_failed);
    BOOST_TEST(contains(err.str(), "could not be written"), err.str());
  }
}

BOOST_AUTO_TEST_CASE(wrong_usage_is_exit_code_2_with_error_and_hint_on_stderr) {
  for (const auto& arguments :
       std::vector<std::vector<std::string>>{{},
                                             {"nonsense"},
                                             {"tenant"},
                                             {"kpi"},
                                             {"enrol"},
                                             {"envelope", "list", "--limit", "x"},
                                             {"revoke", "12345678"},
                                             {"envelope", "list", "--from", "yesterday"},
                                             {"envelope", "list", "--csv", "--json"},
                                             {"status", "--wait", "x"},
                                             {"kpi", "--tenant", "20", "--window", "week"}}) {
    const auto outcome = run(arguments);
    BOOST_TEST(outcome.code == admin::exit_invalid);
    BOOST_TEST(outcome.err.starts_with("error: "), outcome.err);
    BOOST_TEST(contains(outcome.err, "\nhint: "), outcome.err);
    BOOST_TEST(outcome.out.empty());
  }
  BOOST_TEST(contains(run({"nonsense"}).err, "nonsense"));
}

BOOST_AUTO_TEST_CASE(an_api_key_is_shown_once_listed_without_its_secret_and_revoked) {
  add_tenant();
  const auto made = run_json({"apikey", "create", "--name", "dashboard", "--tenant", "20"});
  const auto text = made["apiKey"].get<std::string>();
  const auto id = made["keyId"].get<std::string>();
  BOOST_TEST(contains(text, id));

  const auto listed = run({"apikey", "list", "--csv"});
  BOOST_TEST(contains(listed.out, id + ",dashboard,reader,20,in force,"));
  BOOST_TEST(!contains(listed.out, text.substr(text.size() - 64)));

  BOOST_TEST(run({"apikey", "revoke", id, "--reason", "lost"}).code == admin::exit_ok);
  BOOST_TEST(contains(run({"apikey", "list"}).out, "revoked"));
  BOOST_TEST(run({"apikey", "revoke", id, "--reason", "lost"}).code == admin::exit_conflict);
  BOOST_TEST(run({"apikey", "revoke", "nobody", "--reason", "lost"}).code == admin::exit_not_found);
}

BOOST_AUTO_TEST_CASE(an_api_key_for_nobodys_data_or_for_an_unknown_tenant_is_refused) {
  add_tenant();
  for (const auto& options : std::vector<std::vector<std::string>>{
           {"--name", "x"},
           {"--name", "x", "--tenant", "20", "--all-tenants"},
           {"--name", "x", "--role", "owner", "--all-tenants"},
           {"--name", "x", "--tenant", "20", "--expires", "2001-01-01"},
           {"--tenant", "20"}}) {
    std::vector<std::string> arguments{"apikey", "create"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    const auto outcome = run(arguments);
    BOOST_TEST(outcome.code == admin::exit_invalid, outcome.err);
    BOOST_TEST(outcome.out.empty());
  }
  const auto unknown = run({"apikey", "create", "--name", "x", "--tenant", "21"});
  BOOST_TEST(unknown.code == admin::exit_not_found, unknown.err);
  BOOST_TEST(run_json({"apikey", "list"}).empty());
}

BOOST_AUTO_TEST_CASE(a_database_that_is_not_there_is_exit_code_3_and_is_not_made_by_reading) {
  for (const auto& arguments :
       std::vector<std::vector<std::string>>{{"tenant", "list"},
                                             {"status"},
                                             {"log", "verify"},
                                             {"audit", "replay"},
                                             {"enrol", "--tenant", "20", certificate()}}) {
    const auto outcome = run(arguments);
    BOOST_TEST(outcome.code == admin::exit_database_unavailable, outcome.err);
    BOOST_TEST(contains(outcome.err, "district.db"));
  }
  BOOST_TEST(!std::filesystem::exists(folder.file("district.db")));
}

BOOST_AUTO_TEST_CASE(a_file_that_is_not_a_district_database_is_exit_code_3) {
  write("district.db", "this is a text of some length, and it is no database of any kind at all");
  BOOST_TEST(run({"status"}).code == admin::exit_database_unavailable);
}

BOOST_AUTO_TEST_CASE(the_data_folder_can_come_from_the_configuration_file) {
  add_tenant();
  const auto config = write("district.toml", "[data]\nfolder = \".\"\n");
  std::ostringstream out, err;
  const int code =
      admin::run({"tenant", "list", "--config", config}, {out, err, false, clock, operations});
  BOOST_TEST(code == 0, err.str());
  BOOST_TEST(contains(out.str(), "Barcelona"));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(tenants, Folder)

BOOST_AUTO_TEST_CASE(a_tenant_is_added_unchanged_and_changed) {
  const std::vector<std::string> settings{"tenant",
                                          "add",
                                          "20",
                                          "--name",
                                          "Barcelona",
                                          "--zone",
                                          "Europe/Madrid",
                                          "--content-type",
                                          "001/0.0.1",
                                          "--content-type",
                                          "002/001"};
  const auto added = run(settings);
  BOOST_TEST(added.code == 0, added.err);
  BOOST_TEST(added.out == "tenant 20 added\n");
  BOOST_TEST(contains(added.err, "note: made a new database"));
  const auto again = run(settings);
  BOOST_TEST(again.code == 0);
  BOOST_TEST(contains(again.out, "already has these settings"));
  const auto changed = run({"tenant", "add", "20", "--name", "Barcelona", "--zone", "Europe/Madrid",
                            "--content-type", "001/0.0.1", "--source", "BCN-SCHOOL"});
  BOOST_TEST(changed.code == 0);
  BOOST_TEST(changed.out == "tenant 20 changed, from now on\n");
  const auto list = run_json({"tenant", "list"});
  BOOST_REQUIRE(list.size() == 1U);
  BOOST_TEST(list[0]["tenant"] == "20");
  BOOST_TEST(list[0]["contentTypes"] == json({"001/0.0.1"}));
  BOOST_TEST(list[0]["sources"] == json({"BCN-SCHOOL"}));
  BOOST_TEST(run_json({"log", "head"})["treeSize"] == 2);
  const auto history = run_json({"tenant", "show", "20"});
  BOOST_REQUIRE(history.size() == 2U);
  BOOST_TEST(history[0]["contentTypes"] == json({"001/0.0.1", "002/001"}));
  BOOST_TEST(history[0]["sources"].empty());
  BOOST_TEST(history[1]["contentTypes"] == json({"001/0.0.1"}));
  BOOST_TEST(history[0]["validFrom"] < history[1]["validFrom"]);
  BOOST_TEST(run({"tenant", "show", "21"}).code == admin::exit_not_found);
}

BOOST_AUTO_TEST_CASE(a_tenant_comes_from_a_file) {
  const auto file = write("tenant.toml",
                          "code = \"30\"\nname = \"Eibar\"\nzone = \"Europe/Madrid\"\n"
                          "content_types = [\"001/001\"]\n");
  BOOST_TEST(run({"tenant", "add", "--file", file}).code == 0);
  BOOST_TEST(run_json({"tenant", "list"})[0]["name"] == "Eibar");
}

BOOST_AUTO_TEST_CASE(a_wrong_tenant_file_names_its_line) {
  const auto unknown = write("a.toml", "code = \"30\"\nname = \"Eibar\"\ncolour = \"red\"\n");
  const auto outcome = run({"tenant", "add", "--file", unknown});
  BOOST_TEST(outcome.code == admin::exit_invalid);
  BOOST_TEST(contains(outcome.err, "line 3"), outcome.err);
  BOOST_TEST(contains(outcome.err, "colour"), outcome.err);
  const auto broken = write("b.toml", "code = \"30\"\nname = \n");
  BOOST_TEST(contains(run({"tenant", "add", "--file", broken}).err, "line 2"));
  const auto type = write("c.toml", "code = 30\n");
  BOOST_TEST(contains(run({"tenant", "add", "--file", type}).err, "line 1"));
  BOOST_TEST(run({"tenant", "add", "--file", folder.file("none.toml")}).code ==
             admin::exit_invalid);
}

BOOST_AUTO_TEST_CASE(an_unknown_zone_is_refused) {
  const auto outcome = run({"tenant", "add", "20", "--name", "B", "--zone", "Europe/Atlantis",
                            "--content-type", "001/001"});
  BOOST_TEST(outcome.code == admin::exit_invalid);
  BOOST_TEST(contains(outcome.err, "Europe/Atlantis"));
}

BOOST_AUTO_TEST_CASE(check_blames_the_message_for_having_two_faults_and_not_district) {
  add_tenant();
  const std::string soap = "http://schemas.xmlsoap.org/soap/envelope/";
  const auto file = write(
      "two-faults.xml", "<s:Envelope xmlns:s='" + soap + "'><s:Body><a></b></s:Body></s:Envelope>");
  const auto outcome = run({"check", file});
  BOOST_TEST(outcome.code == 1, outcome.err);
  BOOST_TEST(contains(outcome.out, "InvalidSecurity"), outcome.out);
  BOOST_TEST(contains(outcome.out, "for another of its faults: "), outcome.out);
  BOOST_TEST(!contains(outcome.out, "error of District"), outcome.out);
}

BOOST_AUTO_TEST_CASE(check_names_faults_as_the_version_of_soap_does) {
  add_tenant();
  for (const std::string version :
       {"http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope"}) {
    const auto file = write("cut.xml", "<s:Envelope xmlns:s='" + version + "'><s:Body>");
    const auto fault = version.starts_with("http://www") ? "soap:Sender" : "soap:Client";
    BOOST_TEST(contains(run({"check", file}).out, fault), version);
  }
}

BOOST_AUTO_TEST_CASE(content_types_are_listed_with_those_who_may_send_them) {
  add_tenant();
  const auto listed = run_json({"content", "list"});
  const auto row = [&listed](const char* name) {
    for (const auto& content : listed)
      if (content["contentType"] == name) return content;
    return json();
  };
  BOOST_TEST(row("001/0.0.1")["kind"] == "measurements");
  BOOST_TEST(row("001/0.0.1")["tenants"] == json({"20"}));
  BOOST_TEST(row("001/0.0.1")["schemaFile"] == "content/001-0.0.1.xsd");
  BOOST_TEST(row("002/001")["kind"] == "master data");
  BOOST_TEST(row("002/001")["tenants"].empty());
  // Without a database there are the types that are built in.
  std::ostringstream out, err;
  BOOST_TEST(admin::run({"content", "list"}, {out, err, false, clock, operations}) == 0);
  BOOST_TEST(contains(out.str(), "001/0.0.1"));
  // A configuration that cannot be read is not the same as none.
  BOOST_TEST(admin::run({"content", "list", "--config", folder.file("none.toml")},
                        {out, err, false, clock, operations}) != 0);
}

BOOST_AUTO_TEST_CASE(the_catalogue_is_a_page_for_people_and_rows_for_programs) {
  BOOST_TEST(run({"kpi", "catalogue"}).out.starts_with("# KPIs"));
  const auto rows = run_json({"kpi", "catalogue"});
  BOOST_REQUIRE(!rows.empty());
  BOOST_TEST(rows[0]["kpi"] == "energy_kwh");
  BOOST_TEST(rows[0]["unit"] == "kWh");
  BOOST_TEST(!rows[0]["windows"].empty());
  BOOST_TEST(run({"kpi", "catalogue", "--csv"})
                 .out.starts_with("kpi,formula,unit,family,windows,completeness,source\r\n"));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(certificates, Folder)

BOOST_AUTO_TEST_CASE(a_certificate_is_enrolled_listed_and_revoked) {
  add_tenant();
  const auto enrolled = run({"enrol", "--tenant", "20", certificate()});
  BOOST_TEST(enrolled.code == 0, enrolled.err);
  const auto list = run_json({"certificate", "list"});
  BOOST_REQUIRE(list.size() == 1U);
  const auto fingerprint = list[0]["fingerprint"].get<std::string>();
  BOOST_TEST(fingerprint.size() == 64U);
  BOOST_TEST(enrolled.out.starts_with(fingerprint));
  BOOST_TEST(list[0]["status"] == "active");
  BOOST_TEST(list[0]["allowSha1Until"].is_null());
  BOOST_TEST(run({"certificate", "list", "--tenant", "99"}).code == admin::exit_not_found);

  const auto again = run({"enrol", "--tenant", "20", certificate()});
  BOOST_TEST(again.code == 0);
  BOOST_TEST(contains(again.err, "note: already enrolled"));
  const auto other = run({"enrol", "--tenant", "20", certificate(), "--valid-to", "2999-01-01"});
  BOOST_TEST(other.code == admin::exit_conflict);

  const auto revoked = run({"revoke", fingerprint.substr(0, 12), "--reason", "key lost"});
  BOOST_TEST(revoked.code == 0, revoked.err);
  BOOST_TEST(contains(revoked.out, "revoked 1 enrolment"));
  const auto after = run_json({"certificate", "list"});
  BOOST_TEST(after[0]["status"] == "revoked");
  BOOST_TEST(after[0]["revocationReason"] == "key lost");
  BOOST_TEST(contains(run({"certificate", "list"}).out, fingerprint.substr(0, 16) + "  "));
  BOOST_TEST(run({"revoke", "00000000000", "--reason", "x"}).code != 0);
  BOOST_TEST(run({"revoke", fingerprint, "--reason", "  "}).code == admin::exit_invalid);
}

BOOST_AUTO_TEST_CASE(
    a_certificate_is_shown_with_its_enrolments_and_the_names_that_messages_give_it) {
  add_tenant("20");
  add_tenant("21");
  for (const auto* tenant : {"20", "21"})
    BOOST_TEST(run({"enrol", "--tenant", tenant, certificate()}).code == 0);
  const auto pem = crypto::Certificate::from_pem_file(certificate()).value();
  const auto fingerprint = to_hex(pem.sha256());
  BOOST_TEST(run({"revoke", fingerprint, "--tenant", "21", "--reason", "moved"}).code == 0);

  const auto shown = run_json({"certificate", "show", fingerprint.substr(0, 8)});
  BOOST_TEST(shown["fingerprint"] == fingerprint);
  BOOST_TEST(shown["serial"] == pem.serial_decimal());
  BOOST_TEST(shown["issuer"] == pem.issuer());
  BOOST_TEST(shown["thumbprintSha1"] == to_base64(pem.sha1()));
  BOOST_TEST(shown["notAfter"] == format_instant(pem.not_after(), 0));
  BOOST_REQUIRE(shown["enrolments"].size() == 2U);
  BOOST_TEST(shown["enrolments"][0]["status"] == "active");
  BOOST_TEST(shown["enrolments"][0]["revocationReason"].is_null());
  BOOST_TEST(shown["enrolments"][1]["tenant"] == "21");
  BOOST_TEST(shown["enrolments"][1]["status"] == "revoked");
  BOOST_TEST(shown["enrolments"][1]["revocationReason"] == "moved");

  BOOST_TEST(run({"certificate", "show", fingerprint, "--pem"}).out == pem.pem());
  BOOST_TEST(contains(run({"certificate", "show", fingerprint}).out, "moved"));
  BOOST_TEST(run({"certificate", "show", "0000000000"}).code == admin::exit_not_found);
  BOOST_TEST(run({"certificate", "show", "nonsense"}).code == admin::exit_invalid);
}

BOOST_AUTO_TEST_CASE(an_authority_is_never_enrolled_and_a_chain_gives_its_signer) {
  add_tenant();
  const auto sh = [&](const std::string& command) {
    const auto whole = "cd " + data_folder() + " && { " + command + "; } >/dev/null 2>&1";
    BOOST_REQUIRE_MESSAGE(std::system(whole.c_str()) == 0, command);
  };
  sh("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout root.key -out "
     "root.pem -subj '/CN=Some Root' -days 30");
  sh("openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout gw.key -out "
     "gw.csr -subj '/CN=gw'; openssl x509 -req -in gw.csr -CA root.pem -CAkey root.key "
     "-CAcreateserial -days 30 -out gw.pem");
  sh("cat root.pem gw.pem >root-first.pem; openssl crl2pkcs7 -nocrl -certfile root-first.pem -out "
     "gw.p7b; iconv -f UTF-8 -t UTF-16 gw.pem >gw.utf16.pem");
  const auto authority = run({"enrol", "--tenant", "20", folder.file("root.pem")});
  BOOST_TEST(authority.code == admin::exit_invalid);
  BOOST_TEST(contains(authority.err, "CN=Some Root is an authority's (CA:TRUE)"), authority.err);
  const auto packed = run({"enrol", "--tenant", "20", folder.file("gw.p7b")});
  BOOST_TEST(packed.code == admin::exit_invalid);
  BOOST_TEST(contains(packed.err, "hint: openssl pkcs7 -print_certs -in " + folder.file("gw.p7b")),
             packed.err);
  const auto csv = write("enrol.csv", "tenant,certificate\n20,root.pem\n20,gw.utf16.pem\n");
  const auto listed = run({"enrol", "--csv", csv});
  BOOST_TEST(contains(listed.err, "line 3: "), listed.err);
  BOOST_TEST(contains(listed.err, "iconv -f UTF-16"), listed.err);
  BOOST_TEST(run_json({"certificate", "list"}).empty());
  const auto chain = run({"enrol", "--tenant", "20", folder.file("root-first.pem")});
  BOOST_TEST(chain.code == 0, chain.err);
  BOOST_TEST(contains(chain.out, "CN=gw"), chain.out);
  BOOST_TEST(run_json({"certificate", "list"}).size() == 1U);
}

BOOST_AUTO_TEST_CASE(the_status_follows_the_narrower_of_both_periods) {
  add_tenant();
  BOOST_TEST(run({"enrol", "--tenant", "20", certificate(), "--valid-from", "2998-01-01"}).code !=
             0);
  const auto soon = format_instant(clock.now() + std::chrono::hours(2), 0);
  const auto later = format_instant(clock.now() + std::chrono::hours(3), 0);
  const auto enrolled = run({"enrol", "--tenant", "20", certificate(), "--valid-from", soon,
                             "--valid-to", later, "--allow-sha1-until", later});
  BOOST_TEST(enrolled.code == 0, enrolled.err);
  auto list = run_json({"certificate", "list"});
  BOOST_TEST(list[0]["status"] == "not yet valid");
  BOOST_TEST(list[0]["validFrom"] == soon);
  BOOST_TEST(list[0]["validTo"] == later);
  BOOST_TEST(list[0]["allowSha1Until"] == later);
  clock.step(std::chrono::hours(2));
  BOOST_TEST(run_json({"certificate", "list"})[0]["status"] == "active");
  clock.step(std::chrono::hours(1));
  BOOST_TEST(run_json({"certificate", "list"})[0]["status"] == "expired");
}

BOOST_AUTO_TEST_CASE(a_csv_file_is_enrolled_as_a_whole) {
  add_tenant("20");
  add_tenant("10");
  std::filesystem::copy(certificate("barcelona"), folder.file("b.pem"));
  std::filesystem::create_directory(folder.path() / "sub");
  std::filesystem::copy(certificate("kalundborg"), folder.path() / "sub" / "k.pem");
  const auto file = write("enrol.csv",
                          "certificate,tenant,allow_sha1_until\r\n"
                          "b.pem,20,\r\n"
                          "sub/k.pem,10,2999-01-01\r\n");
  const auto outcome = run({"enrol", "--csv", file});
  BOOST_TEST(outcome.code == 0, outcome.err);
  const auto list = run_json({"certificate", "list"});
  BOOST_REQUIRE(list.size() == 2U);
  BOOST_TEST(list[1]["tenant"] == "10");
  BOOST_TEST(list[1]["allowSha1Until"] == "2999-01-01T00:00:00Z");
  const auto again = run_json({"enrol", "--csv", file});
  BOOST_TEST(again[0]["outcome"] == "unchanged");
  BOOST_TEST(again[1]["outcome"] == "unchanged");
}

BOOST_AUTO_TEST_CASE(one_wrong_line_and_nothing_is_enrolled) {
  add_tenant();
  std::filesystem::copy(certificate("barcelona"), folder.file("b.pem"));
  std::filesystem::copy(certificate("kalundborg"), folder.file("k.pem"));
  write("text.pem", "no certificate");
  const auto many = write("many.csv",
                          "tenant,certificate,allow_sha1_until,valid_from,valid_to\n"
                          "20,b.pem,,,\n"
                          "20,none.pem,,,\n"
                          "20,text.pem,,,\n"
                          "20,k.pem,soon,,\n"
                          "20,b.pem,,,\n");
  const auto outcome = run({"enrol", "--csv", many});
  BOOST_TEST(outcome.code == admin::exit_invalid);
  BOOST_TEST(contains(outcome.err, "4 of 5 lines"), outcome.err);
  for (const auto* line : {"line 3:", "line 4:", "line 5:", "line 6:"}) {
    BOOST_TEST(contains(outcome.err, line), outcome.err);
  }
  // What only the database can tell: the tenant of line 3 is not there.
  const auto tenant = write("tenant.csv", "tenant,certificate\n20,b.pem\n99,k.pem\n");
  const auto unknown = run({"enrol", "--csv", tenant});
  BOOST_TEST(unknown.code == admin::exit_not_found);
  BOOST_TEST(contains(unknown.err, "line 3"), unknown.err);
  BOOST_TEST(run_json({"certificate", "list"}).empty());
  BOOST_TEST(run_json({"log", "head"})["treeSize"] == 1);
}

BOOST_AUTO_TEST_CASE(a_csv_file_of_another_shape_is_refused) {
  add_tenant();
  for (const auto* content :
       {"", "tenant\n20\n", "tenant,certificate,colour\n20,b.pem,red\n", "tenant,certificate\n20\n",
        "tenant,certificate\n20,\"b.pem\n", "tenant;certificate\n20;b.pem\n",
        "tenant,certifcate\n20,b.pem\n", "\xFF\xFEt,e"}) {
    const auto outcome = run({"enrol", "--csv", write("x.csv", content)});
    BOOST_TEST(outcome.code == admin::exit_invalid);
    BOOST_TEST(outcome.err.starts_with("error: "), outcome.err);
  }
}

BOOST_AUTO_TEST_SUITE_END()

namespace {

struct Filled : test::SignedArchive {
  Receipt first = send("20", {energy(0, "1.25"), energy(1, "2.5")});
  Receipt second = send("20", {energy(3, "4.125")});

  Outcome run(const std::vector<std::string>& arguments) {
    return Folder::run_on(folder.path().string(), arguments, clock, operations);
  }
  json run_json(std::vector<std::string> arguments) {
    arguments.emplace_back("--json");
    const auto outcome = run(arguments);
    BOOST_TEST(outcome.code == 0, outcome.err);
    return json::parse(outcome.out);
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(archive_commands, Filled)

BOOST_AUTO_TEST_CASE(envelopes_are_listed_by_tenant_time_and_limit) {
  const auto all = run_json({"envelope", "list"});
  BOOST_REQUIRE(all.size() == 2U);
  BOOST_TEST(all[0]["receiptId"] == first.receipt_id);
  BOOST_TEST(all[0]["messageCount"] == 2);
  BOOST_TEST(all[0]["payloadDigest"] == to_base64(first.payload_digest));
  BOOST_TEST(all[0]["quantified"] == false);
  BOOST_TEST(run_json({"envelope", "list", "--tenant", "10"}).empty());
  BOOST_TEST(run({"envelope", "list", "--tenant", "99"}).code == admin::exit_not_found);
  BOOST_TEST(run_json({"envelope", "list", "--from", format_instant(second.received_at)}).size() ==
             1U);
  BOOST_TEST(run_json({"envelope", "list", "--to", format_instant(second.received_at)}).size() ==
             1U);
  const auto limited = run({"envelope", "list", "--limit", "1", "--csv"});
  BOOST_TEST(contains(limited.err, "there are more"));
  const auto records = read_csv(limited.out);
  BOOST_REQUIRE(records);
  BOOST_TEST(records->size() == 2U);
  BOOST_TEST(records->front().fields.front() == "receipt_id");
}

BOOST_AUTO_TEST_CASE(envelopes_are_listed_by_their_signer_and_the_newest_first) {
  const auto shown = run_json({"envelope", "show", first.receipt_id});
  const std::string signer = shown["certificate"];
  BOOST_TEST(run_json({"envelope", "list", "--signer", signer}).size() == 2U);
  const auto newest =
      run_json({"envelope", "list", "--signer", signer.substr(0, 12), "--newest", "--limit", "1"});
  BOOST_REQUIRE(newest.size() == 1U);
  BOOST_TEST(newest[0]["receiptId"] == second.receipt_id);
  for (const std::vector<std::string>& by :
       std::vector<std::vector<std::string>>{{"--tenant", "20"}, {"--from", "2000-01-01"}}) {
    std::vector<std::string> command{"envelope", "list", "--newest", "--signer", signer};
    command.insert(command.end(), by.begin(), by.end());
    const auto listed = run_json(command);
    BOOST_REQUIRE(listed.size() == 2U);
    BOOST_TEST(listed[0]["receiptId"] == second.receipt_id);
  }
  BOOST_TEST(run({"envelope", "list", "--signer", "00000000"}).code == admin::exit_not_found);
  execute("UPDATE envelope SET certificate_sha256 = zeroblob(32) WHERE leaf_index = " +
          std::to_string(second.leaf_index));
  const auto others = run_json({"envelope", "list", "--signer", signer});
  BOOST_REQUIRE(others.size() == 1U);
  BOOST_TEST(others[0]["receiptId"] == first.receipt_id);
}

BOOST_AUTO_TEST_CASE(the_log_is_verified_against_heads_that_were_noted_earlier) {
  const auto head = [&](const Receipt& receipt, const std::string& hash) {
    return std::to_string(receipt.tree_size) + ":" + hash;
  };
  const auto noted = run_json({"log", "head"});
  const std::string now = std::to_string(noted["treeSize"].get<std::uint64_t>()) + ":" +
                          noted["rootHash"].get<std::string>();
  BOOST_TEST(run({"log", "verify", "--head", now}).code == 0);
  BOOST_TEST(run({"log", "verify", "--head", head(first, to_base64(first.root_hash)), "--head",
                  head(second, to_hex(second.root_hash))})
                 .code == 0);
  const auto other = run({"log", "verify", "--head", head(first, to_base64(second.root_hash))});
  BOOST_TEST(other.code == admin::exit_difference);
  BOOST_TEST(contains(other.out, "its root hash is now " + to_base64(first.root_hash)), other.out);
  // The empty tree: the SHA-256 of nothing.
  const std::string empty = "0:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
  BOOST_TEST(run({"log", "verify", "--head", empty}).code == 0);
  BOOST_TEST(run({"log", "verify", "--head", "0:" + to_base64(first.root_hash)}).code ==
             admin::exit_difference);
  const auto longer = run({"log", "verify", "--head", "1000:" + to_base64(first.root_hash)});
  BOOST_TEST(longer.code == admin::exit_difference);
  BOOST_TEST(contains(longer.out, "there are only"), longer.out);
  const std::vector<std::string> wrong{"7",
                                       "7:",
                                       ":abc",
                                       "x:" + to_base64(first.root_hash),
                                       "7:AAAA",
                                       "0x1:" + to_base64(first.root_hash),
                                       "+1:" + to_base64(first.root_hash),
                                       "1 :" + to_base64(first.root_hash)};
  for (const std::string& bad : wrong)
    BOOST_TEST(run({"log", "verify", "--head", bad}).code == admin::exit_invalid, bad);
}

BOOST_AUTO_TEST_CASE(an_envelope_is_shown_with_its_signer_and_its_proof) {
  const auto shown = run_json({"envelope", "show", first.receipt_id});
  BOOST_TEST(contains(shown["signer"], "CN=barcelona"));
  BOOST_TEST(shown["rootHash"] == to_base64(first.root_hash));
  BOOST_TEST(shown["leafIndex"] == first.leaf_index);
  BOOST_TEST(shown["inclusionProof"].is_array());
  BOOST_TEST(run({"envelope", "show", "01JD3Z0A9V4T8M6Q2H5W7X1C0B"}).code == admin::exit_not_found);
}

BOOST_AUTO_TEST_CASE(raw_is_the_exact_octets_and_is_not_written_when_damaged) {
  const auto raw = run({"envelope", "show", first.receipt_id, "--raw"});
  BOOST_TEST(raw.code == 0);
  BOOST_TEST((crypto::sha256(as_bytes(raw.out)) == first.payload_digest));
  auto digest = first.payload_digest;
  digest[0] ^= std::byte{1};
  execute("UPDATE envelope SET payload_digest = x'" + to_hex(digest) +
          "' WHERE leaf_index = " + std::to_string(first.leaf_index));
  const auto damaged = run({"envelope", "show", first.receipt_id, "--raw"});
  BOOST_TEST(damaged.code == admin::exit_difference);
  BOOST_TEST(damaged.out.empty());
  BOOST_TEST(contains(damaged.err, first.receipt_id));
}

BOOST_AUTO_TEST_CASE(status_counts_and_waits) {
  const auto before = run_json({"status"});
  BOOST_TEST(before["envelopes"] == 2);
  BOOST_TEST(before["workWaiting"] == 2);
  BOOST_TEST(before["workFailed"] == 0);
  BOOST_TEST(before["rootHash"] == to_base64(second.root_hash));
  BOOST_TEST(run({"status", "--wait", "0"}).code == admin::exit_waiting);
  BOOST_TEST(run({"status", "--wait", "soon"}).code == admin::exit_invalid);
  quantify();
  BOOST_TEST(run({"status", "--wait"}).code == admin::exit_ok);
  BOOST_TEST(run_json({"status"})["workWaiting"] == 0);
  BOOST_TEST(run_json({"status"})["valuesSuperseded"] == 0);  // there whatever the number
}

BOOST_AUTO_TEST_CASE(kpis_are_listed_exported_and_drawn) {
  quantify();
  const auto days = run_json({"kpi", "--tenant", "20", "--kpi", "energy_kwh", "--window", "day"});
  BOOST_REQUIRE(days.size() == 1U);
  BOOST_TEST(days[0]["value"] == 7.875);
  BOOST_TEST(days[0]["unit"] == "kWh");
  BOOST_TEST(days[0]["windowStart"] == "2018-02-28T23:00:00Z");
  BOOST_TEST(days[0]["windowEnd"] == "2018-03-01T23:00:00Z");
  // A day is the site's: 1 March holds the whole window, 28 February ends where it begins.
  const std::vector<std::string> query{"kpi",        "--tenant", "20", "--kpi",
                                       "energy_kwh", "--window", "day"};
  auto on = query, before = query;
  on.insert(on.end(), {"--from", "2018-03-01", "--to", "2018-03-02"});
  before.insert(before.end(), {"--to", "2018-03-01"});
  BOOST_TEST(run_json(on).size() == 1U);
  BOOST_TEST(run_json(before).empty());

  const auto table = run({"kpi", "--tenant", "20"});
  BOOST_TEST(contains(table.out, "2018-03-01"));
  BOOST_TEST(contains(table.err, "--window hour"));
  const auto csv = read_csv(run({"kpi", "--tenant", "20", "--csv"}).out);
  BOOST_REQUIRE(csv);
  const std::vector<std::string> columns{
      "tenant", "source", "meter",        "kpi",    "window",   "window_start", "window_end",
      "value",  "unit",   "completeness", "status", "revision", "computed_at"};
  BOOST_REQUIRE(csv->front().fields.size() >= columns.size());
  BOOST_TEST(std::vector<std::string>(csv->front().fields.begin(),
                                      csv->front().fields.begin() + 13) == columns,
             boost::test_tools::per_element());
  // An hour without data between others is a row with an empty value.
  const auto hours = run_json({"kpi", "--tenant", "20", "--kpi", "energy_kwh", "--window", "hour"});
  BOOST_REQUIRE(hours.size() == 4U);
  BOOST_TEST(hours[2]["value"].is_null());

  const auto misspelled = run({"kpi", "--tenant", "20", "--kpi", "energy_kWh"});
  BOOST_TEST(misspelled.code == admin::exit_not_found);
  BOOST_TEST(contains(misspelled.err, "there is no KPI 'energy_kWh', did you mean energy_kwh?"),
             misspelled.err);
  for (const auto& [arguments, expected] :
       std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{"--source", "BCN-SCHOL"}, "has no source 'BCN-SCHOL', did you mean BCN-SCHOOL?"},
           {{"--source", "nowhere"}, "tenant 20 has no source 'nowhere'"},
           {{"--source", "BCN-SCHOOL", "--meter", "W1"},
            "source BCN-SCHOOL has no meter or site 'W1'"},
           {{"--meter", "W1"}, "tenant 20 has no meter or site 'W1'"}}) {
    for (std::vector<std::string> command :
         {std::vector<std::string>{"kpi", "--tenant", "20"}, {"site", "show", "--tenant", "20"}}) {
      command.insert(command.end(), arguments.begin(), arguments.end());
      const auto unknown = run(command);
      BOOST_TEST(unknown.code == admin::exit_not_found, unknown.err);
      BOOST_TEST(contains(unknown.err, expected), unknown.err);
    }
  }
  const auto nothing = run({"kpi", "--tenant", "20", "--source", "BCN-SCHOOL", "--from",
                            "2001-01-01", "--to", "2001-02-01"});
  BOOST_TEST(nothing.code == admin::exit_ok);
  BOOST_TEST(contains(nothing.err, "no rows"), nothing.err);
  BOOST_TEST(contains(table.out, "REMARKS"), table.out);
  BOOST_TEST(contains(table.out, "missing=energy_price"), table.out);
  BOOST_TEST(!run_json({"kpi", "--tenant", "20"})[0].contains("remarks"));

  const auto picture =
      run({"kpi", "--tenant", "20", "--kpi", "energy_kwh", "--window", "hour", "--picture"});
  BOOST_TEST(contains(picture.out, "BCN-SCHOOL  energy_kwh, kWh, by hour\n"), picture.out);
  BOOST_TEST(contains(picture.out, "2018-03-01  ▃▅·█  1.250 to 4.125\n"), picture.out);
  BOOST_TEST(run({"kpi", "--tenant", "99"}).code == admin::exit_not_found);
}

BOOST_AUTO_TEST_CASE(the_log_is_verified_with_the_receipts_that_a_gateway_holds) {
  const auto line = [](const Receipt& receipt) {
    return json{{"receiptId", receipt.receipt_id},
                {"receivedAt", format_instant(receipt.received_at)},
                {"messageCount", receipt.message_count},
                {"payloadDigest", to_base64(receipt.payload_digest)},
                {"leafIndex", receipt.leaf_index},
                {"treeSize", receipt.tree_size},
                {"rootHash", to_base64(receipt.root_hash)}};
  };
  const auto file = folder.file("receipts.jsonl");
  auto confirmed = line(second);
  for (const auto* key : {"leafIndex", "treeSize", "rootHash"}) confirmed.erase(key);
  std::ofstream(file) << line(first).dump() << "\n" << confirmed.dump() << "\n\n";
  const auto intact = run({"log", "verify", "--receipt", file});
  BOOST_TEST(intact.code == 0, intact.err);
  BOOST_TEST(contains(intact.out, "2 receipts: intact"), intact.out);

  auto forged = line(first);
  forged["rootHash"] = to_base64(second.root_hash);
  std::ofstream(file) << forged.dump() << "\n";
  const auto contradicted = run({"log", "verify", "--receipt", file});
  BOOST_TEST(contradicted.code == admin::exit_difference);
  BOOST_TEST(contains(contradicted.out, "receipt " + first.receipt_id + ": "), contradicted.out);
  BOOST_TEST(contains(contradicted.out, " 1 receipt: 1 problem\n"), contradicted.out);
  forged["rootHash"] = 7;
  std::ofstream(file) << forged.dump() << "\n";
  BOOST_TEST(run({"log", "verify", "--receipt", file}).code == admin::exit_invalid);

  execute("UPDATE log_leaf SET entry = replace(entry, '\"20\"', '\"21\"') WHERE leaf_index = " +
          std::to_string(first.leaf_index));
  BOOST_TEST(run({"log", "verify"}).code == admin::exit_difference);
}

// As a gateway writes them; a full disk or a lost supply of power tears one.
BOOST_AUTO_TEST_CASE(a_torn_receipt_is_named_and_the_others_are_checked) {
  const auto line = [](const Receipt& receipt) {
    return R"({"file":"a.csv","receiptId":")" + receipt.receipt_id + R"(","receivedAt":")" +
           format_instant(receipt.received_at) + R"(","messageCount":)" +
           std::to_string(receipt.message_count) + R"(,"payloadDigest":")" +
           to_base64(receipt.payload_digest) + R"(","leafIndex":)" +
           std::to_string(receipt.leaf_index) + R"(,"treeSize":)" +
           std::to_string(receipt.tree_size) + R"(,"rootHash":")" + to_base64(receipt.root_hash) +
           R"(","replayed":false})";
  };
  const auto file = folder.file("receipts.jsonl");
  const auto torn = line(first).substr(0, 100);
  struct {
    std::string content;
    const char* checked;
  } const cases[] = {
      {line(second) + "\n" + torn, "1 receipt: intact"},
      {torn + line(second) + "\n", "1 receipt: intact"},  // the next run wrote behind it
      {line(second) + "\n" + torn + "\n" + line(second) + "\n", "2 receipts: intact"},
      {torn + torn + line(second) + "\n", "1 receipt: intact"},
      {std::string(50, '\0') + line(second) + "\n", "1 receipt: intact"},
  };
  for (const auto& c : cases) {
    std::ofstream(file, std::ios::binary) << c.content;
    const auto outcome = run({"log", "verify", "--receipt", file});
    BOOST_TEST(outcome.code == admin::exit_invalid);
    BOOST_TEST(contains(outcome.out, c.checked), outcome.out);
    BOOST_TEST(contains(outcome.out, "unreadable: " + file + " line "), outcome.out);
    BOOST_TEST(contains(outcome.err, "1 line could not be checked"), outcome.err);
    if (c.content[0] != '\0') BOOST_TEST(contains(outcome.out, first.receipt_id), outcome.out);
    const auto told = json::parse(run({"log", "verify", "--receipt", file, "--json"}).out);
    BOOST_TEST(told["intact"] == true);
    BOOST_TEST(told["unreadableLines"].size() == 1U);
  }
  // A contradiction behind a torn line is found, and weighs more.
  auto forged = line(second);
  forged.replace(forged.find("\"messageCount\":") + 15, 1, "7");
  std::ofstream(file) << torn << forged << "\n";
  const auto contradicted = run({"log", "verify", "--receipt", file});
  BOOST_TEST(contradicted.code == admin::exit_difference);
  BOOST_TEST(contains(contradicted.out, "receipt " + second.receipt_id + ": "), contradicted.out);
}

BOOST_AUTO_TEST_CASE(a_dry_run_of_an_import_names_what_nothing_is_known_of) {
  const auto import = [&](const std::string& text, std::vector<std::string> more = {}) {
    const auto file = folder.file("site.toml");
    std::ofstream(file) << "tenant = \"20\"\nvalid_from = 2018-01-01\n" << text;
    more.insert(more.begin(), {"site", "import", "--dry-run", file});
    return run(more);
  };
  // So far nothing is known, not even the source: no envelope has been quantified.
  const auto known = folder.file("known.toml");
  std::ofstream(known) << "tenant = \"20\"\nvalid_from = 2018-01-01\nsource = \"BCN-SCHOOL\"\n"
                          "[[meter]]\nmedium = \"power\"\n";
  BOOST_TEST(contains(run({"site", "import", "--dry-run", known}).err,
                      "source 'BCN-SCHOOL' is not known"));
  BOOST_TEST(run({"site", "import", known}).code == 0);
  BOOST_TEST(
      contains(run({"site", "import", "--dry-run", known}).out, "1 statement good; nothing"));
  const auto good = import(
      "source = \"BCN-SCHOOL\"\n[[site]]\nsite_id = \"S\"\n"
      "floor_area_m2 = 1\n[[meter]]\nat_site = \"S\"\n");
  BOOST_TEST(good.code == 0, good.err);
  BOOST_TEST(contains(good.err, "meter or site 'S' is not known"), good.err);
  BOOST_TEST(!contains(good.err, "at_site"), good.err);

  const std::pair<const char*, const char*> unknown[] = {
      {"source = \"BCN-SCHOL\"\n[[meter]]\nmedium = \"power\"\n",
       "source 'BCN-SCHOL' is not known, did you mean BCN-SCHOOL?"},
      {"source = \"BCN-SCHOOL\\u00a0\"\n[[meter]]\nmedium = \"power\"\n",
       "source 'BCN-SCHOOL\\u{A0}' is not known, and looks like 'BCN-SCHOOL'"},
      {"source = \"BCN-SCHOOL\"\n[[meter]]\nat_site = \"NOWHERE\"\n",
       "at_site 'NOWHERE' is not known"},
      {"source = \"BCN-SCHOOL\"\n[[meter]]\noutdoor_sensor = \"BCN-ROOF/T1\"\n",
       "outdoor_sensor 'BCN-ROOF' is not known"},
      {"source = \"BCN-SCHOOL\"\n[[meter]]\nreplaces_meter = \"OLD\"\n",
       "replaces_meter 'OLD' is not known"},
  };
  for (const auto& [text, note] : unknown) {
    const auto outcome = import(text);
    BOOST_TEST(outcome.code == 0, outcome.err);
    BOOST_TEST(contains(outcome.err, note), outcome.err);
    BOOST_TEST(contains(outcome.out, "not known; nothing is written"), outcome.out);
    const auto told = json::parse(import(text, {"--json"}).out);
    BOOST_TEST(told["outcome"] == "unknown_names");
    BOOST_TEST(told["unknownNames"].size() == 1U);
  }
  const std::pair<const char*, const char*> wrong[] = {
      {"source = \"X\"\n[[meter]]\nmeduim = \"power\"\n",
       "unknown attribute 'meduim', did you mean medium?"},
      {"source = \"X\"\n[[site]]\nsite_id = \"S\"\nfloor_area = 1\n",
       "unknown attribute 'floor_area', did you mean floor_area_m2?"},
      {"source = \"X\"\n[[meter]]\nmedium = \"steam\"\n", "medium"},
      {"source = \"X\"\n[[meter]]\nfloor_area_m2 = -1\n", "floor_area_m2"},
      {"source = \"X\"\n[[meter]]\nunit = \"kWh\"\n[[meter]]\nunit = \"MWh\"\n",
       "records 1 and 2 state two values for unit of X from 2018-01-01T00:00:00Z: kWh and MWh"},
  };
  for (const auto& [text, reason] : wrong) {
    const auto outcome = import(text);
    BOOST_TEST(outcome.code == admin::exit_invalid);
    BOOST_TEST(contains(outcome.err, reason), outcome.err);
  }
}

// A span that is turned round fits nothing, and nothing found must not pass for all is well.
BOOST_AUTO_TEST_CASE(a_span_that_ends_before_it_begins_is_refused) {
  for (const auto& command : std::vector<std::vector<std::string>>{{"envelope", "list"},
                                                                   {"rejection", "list"},
                                                                   {"audit", "verify"},
                                                                   {"audit", "replay"},
                                                                   {"kpi", "recompute"},
                                                                   {"kpi", "--tenant", "20"}}) {
    auto arguments = command;
    arguments.insert(arguments.end(), {"--from", "2018-04-01", "--to", "2018-03-01"});
    const auto outcome = run(arguments);
    BOOST_TEST(outcome.code == admin::exit_invalid, command.front() << outcome.err);
    BOOST_TEST(contains(outcome.err, "is not after --from"), outcome.err);
  }
}

BOOST_AUTO_TEST_CASE(audit_finds_nothing_and_then_names_the_envelope) {
  quantify();
  const auto intact = run({"audit", "replay"});
  BOOST_TEST(intact.code == 0, intact.err + intact.out);
  BOOST_TEST(contains(intact.out, "2 envelopes, 3 measurements"), intact.out);
  BOOST_TEST(contains(intact.out, "no difference"), intact.out);
  BOOST_TEST(run({"audit", "verify", first.receipt_id}).out == "1 envelope: no difference\n");
  BOOST_TEST(run({"audit", "verify", "01JD3Z0A9V4T8M6Q2H5W7X1C0B"}).code == admin::exit_not_found);
  const auto none = run({"audit", "verify", "--from", "2100-01-01"});
  BOOST_TEST(contains(none.err, "nothing was checked"), none.err);

  test::tamper_with_measurements(*series(), [](ValueVersion& version) {
    if (version.value == 4.125) version.value = 4.25;
    return true;
  });
  const auto changed = run({"audit", "replay"});
  BOOST_TEST(changed.code == admin::exit_difference);
  BOOST_TEST(contains(changed.out, "envelope " + second.receipt_id + ": measurement"), changed.out);
  const auto report = json::parse(run({"audit", "replay", second.receipt_id, "--json"}).out);
  BOOST_TEST(report["differences"][0]["receiptIds"] == json({second.receipt_id}));
  BOOST_TEST(report["differences"][0]["kind"] == "measurement");
}

BOOST_AUTO_TEST_CASE(a_site_is_stated_from_a_file_and_its_kpis_say_where_they_are_from) {
  quantify();
  const auto file = folder.file("site.toml");
  const auto write = [&](const std::string& medium) {
    std::ofstream(file) << "tenant = \"20\"\nsource = \"BCN-SCHOOL\"\nvalid_from = 2010-01-01\n"
                           "[[meter]]\nco2_factor_kg_per_kwh = 0.5\nmedium = \""
                        << medium << "\"\n";
  };
  write("steam");
  const auto refused = run({"site", "import", file});
  BOOST_TEST(refused.code == admin::exit_invalid);
  BOOST_TEST(contains(refused.err, "steam"), refused.err);
  for (const std::string zone : {"localtime", "posix/Europe/Madrid", "Factory", "Europe/Madird"}) {
    std::ofstream(file) << "tenant = \"20\"\nsource = \"BCN-SCHOOL\"\nvalid_from = 2010-01-01\n"
                           "[[meter]]\nzone = \""
                        << zone << "\"\n[[site]]\nsite_id = \"S\"\n";
    for (const auto* dry_run : {"--dry-run", "--json"}) {
      const auto no_zone = run({"site", "import", dry_run, file});
      BOOST_TEST(no_zone.code == admin::exit_invalid);
      BOOST_TEST(
          contains(no_zone.err, " line 4: meter: zone: there is no time zone '" + zone + "'"),
          no_zone.err);
    }
  }
  write("power");
  BOOST_TEST(run({"site", "import", file}).code == 0);
  BOOST_TEST(contains(run({"site", "show", "--tenant", "20"}).out, "co2_factor_kg_per_kwh"));
  // Until the quantifier has done it, it is work that waits.
  BOOST_TEST(contains(run({"status"}).out, "Work items waiting  1"));
  quantify();
  BOOST_TEST(contains(run({"status"}).out, "Work items waiting  0"));
  const auto explained = run({"kpi", "explain", "--tenant", "20", "--source", "BCN-SCHOOL", "--kpi",
                              "co2_kg", "--window", "month", "--at", "2018-03-15"});
  BOOST_TEST(explained.code == 0, explained.err);
  BOOST_TEST(contains(explained.out, "site-import-"), explained.out);
  // What is named can be shown.
  const auto name = std::string(run_json({"site", "show", "--tenant", "20"})[0]["statedIn"]);
  BOOST_TEST(name.starts_with("site-import-"), name);
  const auto import = run({"site", "show-import", name});
  BOOST_TEST(import.code == 0, import.err);
  BOOST_TEST(contains(import.out, "co2_factor_kg_per_kwh"), import.out);
  const auto shown = run_json({"site", "show-import", name.substr(name.rfind('-') + 1)});
  BOOST_TEST(shown["name"] == name);
  BOOST_TEST(shown["tenant"] == "20");
  BOOST_TEST(shown["statements"].size() == 2U);
  for (const std::string unknown : {"site-import-", "site-import-999999", "12x", "-1", ""}) {
    BOOST_TEST(run({"site", "show-import", "--", unknown}).code == admin::exit_not_found, unknown);
  }
  BOOST_TEST(contains(run({"envelope", "show", name}).err, "site show-import " + name));
  BOOST_TEST(contains(explained.out, first.receipt_id), explained.out);
  const auto explain_at = [](std::vector<std::string> more) {
    more.insert(more.begin(), {"kpi", "explain", "--tenant", "20", "--source", "BCN-SCHOOL",
                               "--kpi", "energy_kwh", "--at"});
    return more;
  };
  // A day is the site's, as it is for `kpi`.
  const auto day = run_json(explain_at({"2018-03-01"}));
  BOOST_TEST(day["windowStart"] == "2018-02-28T23:00:00Z");
  BOOST_TEST(day["value"] == 7.875);
  BOOST_TEST(day["inputs"][0]["receiptId"] == first.receipt_id);
  BOOST_TEST(run(explain_at({"2018-03-01", "--window", "week"})).code == admin::exit_invalid);
  BOOST_TEST(contains(run({"log", "verify"}).out, "intact"));
  BOOST_TEST(run({"audit", "replay"}).code == 0);
  BOOST_TEST(run_json({"site", "import", file})["outcome"] == "unchanged");
  clock.step();  // a value computed now has changed
  BOOST_TEST(
      run_json({"kpi", "recompute", "--from", "2018-01-01", "--to", "2019-01-01"})["changed"] == 0);
  const auto again = run({"kpi", "recompute", "--from", "2018-01-01", "--to", "2019-01-01"});
  BOOST_TEST(contains(again.out, ", 0 values restored"), again.out + again.err);
  BOOST_TEST(contains(again.out, ", 0 values changed"), again.out);
}

BOOST_AUTO_TEST_SUITE_END()
