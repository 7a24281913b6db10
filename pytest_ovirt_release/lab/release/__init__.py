"""The lab's download site: git repositories, signed tarballs, package repositories, the engine machine."""
