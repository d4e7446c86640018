"""A service that no contract of ours describes, as another vendor publishes it."""

from __future__ import annotations

from registry.model import (
    BusinessEntity,
    BusinessService,
    CategoryBag,
    KeyedReference,
    LangText,
)
from registry.uddi.wellknown import XML_LOCALNAME, XML_NAMESPACE
from tests.page.world import GATEWAY, binding

FOREIGN = b"""<?xml version="1.0" encoding="utf-8"?>
<definitions name="Weather" targetNamespace="urn:weather" xmlns:t="urn:weather"
    xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/"
    xmlns:xs="http://www.w3.org/2001/XMLSchema">
  <types><xs:schema targetNamespace="urn:weather">
    <xs:simpleType name="Colour"><xs:restriction base="xs:string">
      <xs:enumeration value="red"/><xs:enumeration value="blue"/></xs:restriction></xs:simpleType>
    <xs:complexType name="Forecast"><xs:sequence>
      <xs:element name="Days" type="xs:int"/>
      <xs:element name="Words" type="xs:string" minOccurs="0" maxOccurs="unbounded"/>
    </xs:sequence></xs:complexType>
    <xs:element name="Ask"><xs:complexType><xs:sequence>
      <xs:element name="City"><xs:annotation><xs:documentation>Where it is asked for.
        </xs:documentation></xs:annotation>
        <xs:simpleType><xs:restriction base="xs:string"><xs:maxLength value="40"/>
        </xs:restriction></xs:simpleType></xs:element>
      <xs:element name="Colour" type="t:Colour" minOccurs="0"/>
    </xs:sequence></xs:complexType></xs:element>
    <xs:element name="AskResponse"><xs:complexType><xs:sequence>
      <xs:element name="Forecast" type="t:Forecast" minOccurs="0" maxOccurs="unbounded"/>
    </xs:sequence></xs:complexType></xs:element>
  </xs:schema></types>
  <message name="AskIn"><part name="parameters" element="t:Ask"/></message>
  <message name="AskOut"><part name="parameters" element="t:AskResponse"/></message>
  <message name="OldIn"><part name="a" type="xs:string"/></message>
  <portType name="Weather">
    <operation name="Ask"><input message="t:AskIn"/><output message="t:AskOut"/></operation>
    <operation name="Old"><input message="t:OldIn"/><output message="t:OldIn"/></operation>
  </portType>
  <binding name="WeatherSoap" type="t:Weather">
    <soap:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>
    <operation name="Ask"><soap:operation soapAction="urn:weather/Ask"/>
      <input><soap:body use="literal"/></input><output><soap:body use="literal"/></output>
    </operation>
    <operation name="Old"><soap:operation soapAction="" style="rpc"/>
      <input><soap:body use="literal"/></input><output><soap:body use="literal"/></output>
    </operation></binding>
  <service name="Weather"><port name="WeatherSoap" binding="t:WeatherSoap">
    <soap:address location="http://elsewhere.example/w"/></port></service>
</definitions>"""


def foreign_hospital(
    name: str = "Weather", address: str = f"{GATEWAY}/fx/Weather"
) -> BusinessEntity:
    return BusinessEntity(
        "uddi:yilian:foreign:hospital",
        (LangText("外部医院", "zh"),),
        (
            BusinessService(
                "uddi:yilian:foreign:weather",
                "uddi:yilian:foreign:hospital",
                (LangText("天气", "zh"),),
                (binding("uddi:yilian:foreign:weather:b", address),),
                CategoryBag(
                    (
                        KeyedReference(XML_LOCALNAME, name),
                        KeyedReference(XML_NAMESPACE, "urn:weather"),
                    )
                ),
            ),
        ),
    )
