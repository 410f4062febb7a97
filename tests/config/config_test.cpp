#include <boost/test/unit_test.hpp>

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "config/config.h"
#include "config/keys.h"

using namespace district;
namespace fs = std::filesystem;

namespace {

Result<config::Config> parse(const std::string& text) {
  return config::parse(text, "/etc/district", "district.toml");
}

// The detail of the error that `text` must give.
std::string complaint(const std::string& text) {
  const auto result = parse(text);
  BOOST_REQUIRE_MESSAGE(!result, "accepted: " << text);
  BOOST_TEST((result.error().code == ErrorCode::config_invalid));
  return result.error().detail;
}

struct Folder {
  Folder() : path(fs::temp_directory_path() / ("district-config-" + std::to_string(::getpid()))) {
    fs::create_directories(path / "pki");
  }
  ~Folder() { fs::remove_all(path); }
  void write(const std::string& name, const std::string& text,
             fs::perms perms = fs::perms(0600)) const {
    std::ofstream(path / name) << text;
    fs::permissions(path / name, perms);
  }
  fs::path path;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(load)

BOOST_AUTO_TEST_CASE(an_empty_file_gives_the_defaults_below_its_folder) {
  const auto config = parse("");
  BOOST_REQUIRE(config);
  BOOST_TEST(config->database() == "/etc/district/data/district.db");
  BOOST_TEST(config->tls.key == "/etc/district/pki/server.key");
  BOOST_TEST(config->log.file.empty());
  BOOST_TEST(config->listen.port == 8443);
  BOOST_TEST(config->service_url() == "https://127.0.0.1:8443/services/aggregation");
  BOOST_TEST(config->window.created_age_seconds.count() == 300);
}

BOOST_AUTO_TEST_CASE(values_are_read) {
  const auto config = parse(R"(
[data]
folder = "/var/lib/district"
[listen]
address = "::1"
port = 9443
[receipt]
ecdsa_key = "keys/ec.key"
[limits]
body_bytes = 1_048_576
idle_seconds = 5
[quantify]
enabled = false
[log]
level = "debug"
file = "district.log"
)");
  BOOST_REQUIRE(config);
  BOOST_TEST(config->data.folder == "/var/lib/district");
  BOOST_TEST(config->service_url() == "https://[::1]:9443/services/aggregation");
  BOOST_TEST(config->receipt.ecdsa_key == "/etc/district/keys/ec.key");
  BOOST_TEST(config->limits.body_bytes == 1048576);
  BOOST_TEST(config->limits.idle_seconds.count() == 5);
  BOOST_TEST(!config->quantify.enabled);
  BOOST_TEST(config->log.level == "debug");
  BOOST_TEST(config->log.file == "/etc/district/district.log");
}

BOOST_AUTO_TEST_CASE(an_unknown_key_is_named_with_its_line) {
  BOOST_TEST(complaint("[listen]\nport = 1\nprot = 2\n") ==
             "district.toml:3: unknown key listen.prot");
  BOOST_TEST(complaint("\n[lisen]\nport = 1\n") == "district.toml:2: unknown section [lisen]");
  BOOST_TEST(complaint("port = 1\n") == "district.toml:1: unknown key port");
  BOOST_TEST(complaint("listen = 1\n") == "district.toml:1: listen is a section");
  BOOST_TEST(complaint("[log.extra]\nx = 1\n") == "district.toml:1: unknown key log.extra");
}

BOOST_AUTO_TEST_CASE(a_wrong_type_or_range_is_named_with_its_line) {
  BOOST_TEST(complaint("[listen]\nport = \"8443\"\n") ==
             "district.toml:2: listen.port must be a whole number");
  BOOST_TEST(complaint("[listen]\nport = 65536\n") ==
             "district.toml:2: listen.port must be from 0 to 65535");
  BOOST_TEST(complaint("[limits]\n\nidle_seconds = 1.5") ==
             "district.toml:3: limits.idle_seconds must be a whole number");
  BOOST_TEST(complaint("[limits]\nqueue = 0") ==
             "district.toml:2: limits.queue must be from 1 to 100000");
  BOOST_TEST(complaint("[tls]\nkey = \"\"") == "district.toml:2: tls.key must not be empty");
  BOOST_TEST(complaint("[tls]\nkey = 1") == "district.toml:2: tls.key must be a path in quotes");
  BOOST_TEST(complaint("[quantify]\nenabled = 1") ==
             "district.toml:2: quantify.enabled must be true or false");
  BOOST_TEST(
      complaint("[log]\nlevel = \"loud\"").starts_with("district.toml:2: log.level must be"));
  BOOST_TEST(complaint("[listen]\naddress = \"localhost\"")
                 .starts_with("district.toml:2: listen.address must"));
  for (const char* bad : {"ftp://x/", "https://x/<y", "https://x/?a", "https://x y/"}) {
    BOOST_TEST(complaint("[listen]\npublic_url = \"" + std::string(bad) + "\"")
                   .starts_with("district.toml:2: listen.public_url must"));
  }
}

BOOST_AUTO_TEST_CASE(keys_that_contradict_each_other_are_named) {
  BOOST_TEST(complaint("[limits]\nbody_bytes_total = 1024").find("limits.body_bytes") !=
             std::string::npos);
  BOOST_TEST(complaint("[listen]\naddress = \"0.0.0.0\"").find("listen.public_url") !=
             std::string::npos);
  BOOST_TEST(parse("[listen]\naddress = \"0.0.0.0\"\npublic_url = "
                   "\"https://a.example/services/aggregation\"")
                 .has_value());
  BOOST_TEST(complaint("[tls]\nsecond_key = \"x\"").find("tls.second_certificate") !=
             std::string::npos);
  BOOST_TEST(complaint("[legacy]\nenabled = true\nport = 8443").find("legacy.port") !=
             std::string::npos);
  BOOST_TEST(parse("[legacy]\nport = 8443").has_value());
  BOOST_TEST(complaint("[listen]\nclient_certificates = \"maybe\"")
                 .starts_with("district.toml:2: listen.client_certificates must"));
}

BOOST_AUTO_TEST_CASE(what_is_not_toml_is_named_with_its_line) {
  BOOST_TEST(complaint("[listen]\nport = \n").starts_with("district.toml:2: "));
  BOOST_TEST(complaint("[listen]\nport = 1\nport = 2\n").starts_with("district.toml:3: "));
}

BOOST_AUTO_TEST_CASE(a_file_is_loaded_and_a_missing_one_is_an_error) {
  const Folder folder;
  folder.write("district.toml", "[data]\nfolder = \"store\"\n");
  folder.write("empty.toml", "");
  const auto config = config::load(folder.path / "district.toml");
  BOOST_REQUIRE(config);
  BOOST_TEST(config->data.folder == folder.path / "store");
  BOOST_TEST(config::load(folder.path / "empty.toml").has_value());
  for (const auto& bad : {folder.path / "none.toml", folder.path, folder.path / "pki"}) {
    const auto result = config::load(bad);
    BOOST_REQUIRE(!result);
    BOOST_TEST((result.error().code == ErrorCode::file_unreadable));
    BOOST_TEST(result.error().detail.find(bad.string()) != std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(the_demo_has_everything_below_one_folder) {
  const auto config = config::demo_config("/tmp/demo");
  BOOST_TEST(config.database() == "/tmp/demo/data/district.db");
  BOOST_TEST(config.tls.certificate == "/tmp/demo/pki/server.pem");
  BOOST_TEST(config.receipt.rsa_key == "/tmp/demo/pki/receipt-rsa.key");
  BOOST_TEST(config.listen.address == "127.0.0.1");
}

BOOST_AUTO_TEST_CASE(the_reference_has_every_key_once) {
  const auto text = config::reference_markdown();
  for (const auto& key : config::all_keys()) {
    BOOST_TEST_CONTEXT(key.section << '.' << key.name) {
      BOOST_TEST(text.find("| `" + std::string(key.name) + "` |") != std::string::npos);
      BOOST_TEST(!key.text.empty());
      BOOST_TEST(!key.unit.empty());
      int same = 0;
      for (const auto& other : config::all_keys())
        same += other.section == key.section && other.name == key.name;
      BOOST_TEST(same == 1);
    }
  }
}

BOOST_AUTO_TEST_CASE(every_default_is_a_value_that_its_key_accepts) {
  config::Config standard;
  for (const auto& key : config::all_keys()) {
    BOOST_TEST_CONTEXT(key.section << '.' << key.name) {
      if (const auto* kind = std::get_if<config::IntegerKey>(&key.kind)) {
        BOOST_TEST((kind->value(standard) >= kind->min && kind->value(standard) <= kind->max));
      }
      if (const auto* kind = std::get_if<config::SecondsKey>(&key.kind)) {
        BOOST_TEST((kind->value(standard).count() >= kind->min &&
                    kind->value(standard).count() <= kind->max));
      }
      if (const auto* kind = std::get_if<config::TextKey>(&key.kind)) {
        BOOST_TEST((kind->complaint(kind->value(standard)) == nullptr));
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
BOOST_AUTO_TEST_SUITE(files)

BOOST_AUTO_TEST_CASE(missing_and_wrong_files_are_found_and_open_keys_warned_of) {
  const Folder folder;
  const auto config = config::demo_config(folder.path);
  BOOST_TEST(config::check_files(config).size() == 6u);

  const std::string certificate = "-----BEGIN CERTIFICATE-----\n",
                    key = "-----BEGIN PRIVATE KEY-----\n";
  for (const char* name : {"server", "receipt-rsa", "receipt-ecdsa"}) {
    folder.write("pki/" + std::string(name) + ".pem", certificate);
    folder.write("pki/" + std::string(name) + ".key", key);
  }
  BOOST_TEST(config::check_files(config).empty());

  folder.write("pki/server.key", key, fs::perms(0644));
  const auto warned = config::check_files(config);
  BOOST_REQUIRE(warned.size() == 1u);
  BOOST_TEST(!warned[0].fatal);
  BOOST_TEST(warned[0].hint.starts_with("chmod 600 "));

  // What is in them says who reads them.
  folder.write("pki/server.pem", "");
  const auto found = config::check_files(config);
  BOOST_REQUIRE(found.size() == 2u);
  BOOST_TEST(found[0].fatal);
  BOOST_TEST(found[0].text.starts_with("tls.certificate: "));
}

BOOST_AUTO_TEST_CASE(a_data_folder_that_is_a_file_is_found) {
  const Folder folder;
  folder.write("data", "x");
  auto config = config::demo_config(folder.path);
  BOOST_TEST(config::check_files(config).back().text.find("is not a folder") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
