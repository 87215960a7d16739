"""What a DUT can be asked to do. One module per product; the plugin asks `driver_for`."""

from __future__ import annotations

from .base import Build, Discovery, Driver, DriverError, NotAble, ProductRejected, choose_services, choose_vip

__all__ = ["Build", "Discovery", "Driver", "DriverError", "NotAble", "ProductRejected", "choose_services", "choose_vip",
           "driver_for", "has_faster_clock"]  # fmt: skip


def _class_of(product) -> type:
    from . import direct_return, haproxy, nginx, scripted, stunnel_haproxy

    drivers = {"haproxy": haproxy.HAProxy, "nginx": nginx.Nginx, "stunnel-haproxy": stunnel_haproxy.StunnelHAProxy,
               "direct-return": direct_return.DirectReturn, "ideal": scripted.Scripted, "null": scripted.Scripted}  # fmt: skip
    return drivers[product.driver]


def driver_for(product) -> Driver:
    """The driver of a product, by the name in its dut.yaml."""
    return _class_of(product)(product)


def has_faster_clock(product) -> bool:
    """Whether the product's driver can start it on a faster clock (see `faster`)."""
    return getattr(_class_of(product), "faster_clock", False)
