"""What a DUT can be asked to do. One module per product; the plugin asks `driver_for`."""

from __future__ import annotations

from .base import Build, Discovery, Driver, DriverError, NotAble, ProductRejected, choose_vip

__all__ = ["Build", "Discovery", "Driver", "DriverError", "NotAble", "ProductRejected", "choose_vip", "driver_for"]


def driver_for(product) -> Driver:
    """The driver of a product, by the name in its dut.yaml."""
    from . import haproxy, nginx, scripted

    drivers = {"haproxy": haproxy.HAProxy, "nginx": nginx.Nginx, "ideal": scripted.Scripted, "null": scripted.Scripted}
    return drivers[product.driver](product)
