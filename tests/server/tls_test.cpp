#include <boost/test/unit_test.hpp>

#include <cerrno>
#include <string>

#include "running_server.h"

using namespace district;
using namespace district::test;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(tls)

BOOST_AUTO_TEST_CASE(only_authenticated_encryption_from_tls_1_2_on) {
  Running running;
  BOOST_TEST(TlsClient(running.port()).ready());
  BOOST_TEST(TlsClient(running.port(), TLS1_2_VERSION, "ECDHE+AESGCM").ready());
  BOOST_TEST(TlsClient(running.port(), TLS1_2_VERSION, "ECDHE+CHACHA20").ready());
  BOOST_TEST(
      !TlsClient(running.port(), TLS1_2_VERSION, "ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES256-SHA")
           .ready());
  BOOST_TEST(!TlsClient(running.port(), TLS1_1_VERSION, "ALL:@SECLEVEL=0").ready());
}

BOOST_AUTO_TEST_CASE(http_1_0_is_negotiated_where_the_client_has_nothing_newer) {
  Running running;
  const auto chosen = [&](std::string_view offered) {
    const CHandle<SSL_CTX, ::SSL_CTX_free> context(::SSL_CTX_new(::TLS_client_method()));
    const CHandle<SSL, ::SSL_free> ssl(::SSL_new(context.get()));
    const TcpClient tcp(running.port());
    ::SSL_set_fd(ssl.get(), tcp.fd());
    ::SSL_set_alpn_protos(ssl.get(), reinterpret_cast<const unsigned char*>(offered.data()),
                          static_cast<unsigned>(offered.size()));
    if (::SSL_connect(ssl.get()) != 1) return std::string("none");
    const unsigned char* name = nullptr;
    unsigned size = 0;
    ::SSL_get0_alpn_selected(ssl.get(), &name, &size);
    return std::string(reinterpret_cast<const char*>(name), size);
  };
  BOOST_TEST(chosen("\x08http/1.0") == "http/1.0");
  BOOST_TEST(chosen("\x08http/1.0\x08http/1.1") == "http/1.1");
  BOOST_TEST(chosen("\x02h2\x08http/1.0") == "http/1.0");
  BOOST_TEST(chosen("\x02h2") == "none");
}

BOOST_AUTO_TEST_CASE(a_client_cannot_renegotiate) {
  Running running;
  TlsClient client(running.port(), TLS1_2_VERSION);
  BOOST_REQUIRE(client.ready());
  ::SSL_renegotiate(client.ssl());
  BOOST_TEST((::SSL_do_handshake(client.ssl()) != 1 || !client.send(get("/health")) ||
              client.read().status == 0));
}

BOOST_AUTO_TEST_CASE(plain_http_gets_no_http_answer) {
  Running running;
  TcpClient plain(running.port());
  const auto text = get("/health");
  BOOST_REQUIRE(::send(plain.fd(), text.data(), text.size(), 0) > 0);
  std::string got;
  char part[512];
  ssize_t count = 0;
  while ((count = ::recv(plain.fd(), part, sizeof part, 0)) > 0) {
    got.append(part, static_cast<std::size_t>(count));
  }
  BOOST_TEST((count == 0 || errno == ECONNRESET));
  BOOST_TEST(got.find("HTTP") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(each_listener_has_its_own_profile) {
  auto s = settings();
  s.listeners.push_back({"127.0.0.1", 0, server::TlsProfile::legacy, {}});
  s.listeners.push_back({"127.0.0.1", 0, {}, server::ClientCertificates::required});
  Running running(s);
  BOOST_TEST(!TlsClient(running.server->port(0), TLS1_1_VERSION, "ALL:@SECLEVEL=0").ready());
  TlsClient old(running.server->port(1), TLS1_VERSION, "ALL:@SECLEVEL=0");
  BOOST_TEST(old.ask(post("x")).status == 200);
  BOOST_TEST(!TlsClient(running.server->port(2), TLS1_2_VERSION).ready());
}

BOOST_AUTO_TEST_CASE(two_certificates_are_of_two_types_of_key) {
  auto s = settings();
  s.certificates.push_back({"second_", pki().folder / "other.pem", pki().folder / "other.key"});
  const auto opened = server::Server::open(s);
  BOOST_REQUIRE(!opened);
  BOOST_TEST((opened.error().code == ErrorCode::config_invalid));
  BOOST_TEST(opened.error().hint.find("tls.second_certificate") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
