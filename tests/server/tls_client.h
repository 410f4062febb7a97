// A blocking TLS client that sends octets as told, right or wrong, and reads HTTP answers.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/c_handle.h"

namespace district::test {

struct HttpAnswer {
  int status = 0;  // 0: none came before the connection ended or the time was up
  std::string head;
  std::string body;

  bool has(std::string_view line) const { return head.find(line) != std::string::npos; }
};

// A TCP connection to the loopback; reads give up after `seconds`.
class TcpClient {
 public:
  explicit TcpClient(std::uint16_t port, int seconds = 5) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    const timeval limit{seconds, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  ~TcpClient() { ::close(fd_); }
  TcpClient(const TcpClient&) = delete;
  TcpClient& operator=(const TcpClient&) = delete;

  bool connected() const { return connected_; }
  int fd() const { return fd_; }

 private:
  int fd_;
  bool connected_ = false;
};

class TlsClient {
 public:
  // `certificate`: PEM, with its key beside it in the file that ends in .key; empty: none.
  explicit TlsClient(std::uint16_t port, int max_version = TLS1_3_VERSION,
                     const char* suites = nullptr, const std::filesystem::path& certificate = {})
      : tcp_(port), context_(::SSL_CTX_new(::TLS_client_method())) {
    ::SSL_CTX_set_max_proto_version(context_.get(), max_version);
    ::SSL_CTX_set_options(context_.get(), SSL_OP_IGNORE_UNEXPECTED_EOF);
    if (suites != nullptr) ::SSL_CTX_set_cipher_list(context_.get(), suites);
    if (!certificate.empty()) {
      auto key = certificate;
      key.replace_extension(".key");
      ::SSL_CTX_use_certificate_file(context_.get(), certificate.c_str(), SSL_FILETYPE_PEM);
      ::SSL_CTX_use_PrivateKey_file(context_.get(), key.c_str(), SSL_FILETYPE_PEM);
    }
    ssl_.reset(::SSL_new(context_.get()));
    ::SSL_set_fd(ssl_.get(), tcp_.fd());
    ready_ = tcp_.connected() && ::SSL_connect(ssl_.get()) == 1;
  }

  bool ready() const { return ready_; }
  SSL* ssl() const { return ssl_.get(); }

  bool send(std::string_view text) {
    return ::SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size())) > 0;
  }

  // The next answer; `has_body` false after HEAD.
  HttpAnswer read(bool has_body = true) {
    HttpAnswer answer;
    std::size_t end = 0;
    while ((end = pending_.find("\r\n\r\n")) == std::string::npos) {
      if (!more()) return answer;
    }
    answer.head = pending_.substr(0, end + 2);
    pending_.erase(0, end + 4);
    answer.status = std::stoi(answer.head.substr(9, 3));
    const auto at = answer.head.find("Content-Length: ");
    if (!has_body || at == std::string::npos) return answer;
    const auto length = static_cast<std::size_t>(std::stoul(answer.head.substr(at + 16)));
    while (pending_.size() < length) {
      if (!more()) return answer;
    }
    answer.body = pending_.substr(0, length);
    pending_.erase(0, length);
    return answer;
  }

  HttpAnswer ask(std::string_view text) {
    send(text);
    return read();
  }

  // The server has ended the connection, and sent nothing before that we have not read.
  bool ended() {
    if (!pending_.empty()) return false;
    char octet = 0;
    errno = 0;
    const int result = ::SSL_read(ssl_.get(), &octet, 1);
    if (result > 0) return false;
    const int error = ::SSL_get_error(ssl_.get(), result);
    const bool timed_out =
        error == SSL_ERROR_WANT_READ || (error == SSL_ERROR_SYSCALL && errno == EAGAIN);
    return !timed_out;
  }

 private:
  bool more() {
    char part[16 * 1024];
    const int count = ::SSL_read(ssl_.get(), part, sizeof part);
    if (count <= 0) return false;
    pending_.append(part, static_cast<std::size_t>(count));
    return true;
  }

  TcpClient tcp_;
  CHandle<SSL_CTX, ::SSL_CTX_free> context_;
  CHandle<SSL, ::SSL_free> ssl_;
  bool ready_ = false;
  std::string pending_;
};

}  // namespace district::test
