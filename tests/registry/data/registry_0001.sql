BEGIN TRANSACTION;
CREATE TABLE entity (
	"key" VARCHAR(255) NOT NULL, 
	kind VARCHAR(8) NOT NULL, 
	parent_key VARCHAR(255), 
	position INTEGER NOT NULL, 
	publisher VARCHAR(255) NOT NULL, 
	created BIGINT NOT NULL, 
	modified BIGINT NOT NULL, 
	modified_including_children BIGINT NOT NULL, 
	hidden BOOLEAN NOT NULL, 
	sort_name VARCHAR(255) NOT NULL, 
	sort_folded VARCHAR(255) NOT NULL, 
	body TEXT NOT NULL, 
	PRIMARY KEY ("key"), 
	FOREIGN KEY(parent_key) REFERENCES entity ("key") ON DELETE CASCADE
);
INSERT INTO "entity" VALUES('uddi:uddi.org:categorization:types','tmodel',NULL,0,'uddi:yilian:registry',1795303154394014,1795303154394014,1795303154394014,0,'uddi-org:types','uddi-org:types','{"name":{"value":"uddi-org:types","lang":"en"},"overview_docs":[{"overview_url":{"value":"http://www.uddi.org/pubs/uddi-v3.0.2-20041019.htm","use_type":"text"}}],"category_bag":{"references":[{"tmodel_key":"uddi:uddi.org:categorization:types","key_value":"categorization","key_name":"categorization"}]},"descriptions":[{"value":"UDDI 类型分类","lang":"zh"},{"value":"UDDI type category system","lang":"en"}]}');
INSERT INTO "entity" VALUES('uddi:uddi.org:categorization:general_keywords','tmodel',NULL,0,'uddi:yilian:registry',1795303154394014,1795303154394014,1795303154394014,0,'uddi-org:general_keywords','uddi-org:general_keywords','{"name":{"value":"uddi-org:general_keywords","lang":"en"},"overview_docs":[{"overview_url":{"value":"http://www.uddi.org/pubs/uddi-v3.0.2-20041019.htm","use_type":"text"}}],"category_bag":{"references":[{"tmodel_key":"uddi:uddi.org:categorization:types","key_value":"categorization","key_name":"categorization"}]},"descriptions":[{"value":"通用关键词","lang":"zh"},{"value":"General keywords","lang":"en"}]}');
INSERT INTO "entity" VALUES('uddi:uddi.org:wsdl:types','tmodel',NULL,0,'uddi:yilian:registry',1795303154394014,1795303154394014,1795303154394014,0,'uddi-org:wsdl:types','uddi-org:wsdl:types','{"name":{"value":"uddi-org:wsdl:types","lang":"en"},"overview_docs":[{"overview_url":{"value":"http://www.oasis-open.org/committees/uddi-spec/doc/tn/uddi-spec-tc-tn-wsdl-v202-20040631.htm","use_type":"text"}}],"category_bag":{"references":[{"tmodel_key":"uddi:uddi.org:categorization:types","key_value":"categorization","key_name":"categorization"}]},"descriptions":[{"value":"WSDL 实体类型","lang":"zh"},{"value":"WSDL type category system","lang":"en"}]}');
INSERT INTO "entity" VALUES('uddi:uddi.org:xml:namespace','tmodel',NULL,0,'uddi:yilian:registry',1795303154394014,1795303154394014,1795303154394014,0,'uddi-org:xml:namespace','uddi-org:xml:namespace','{"name":{"value":"uddi-org:xml:namespace","lang":"en"},"overview_docs":[{"overview_url":{"value":"http://www.oasis-open.org/committees/uddi-spec/doc/tn/uddi-spec-tc-tn-wsdl-v202-20040631.htm","use_type":"text"}}],"category_bag":{"references":[{"tmodel_key":"uddi:uddi.org:categorization:types","key_value":"categorization","key_name":"categorization"}]},"descriptions":[{"value":"XML 命名空间","lang":"zh"},{"value":"XML namespace","lang":"en"}]}');
INSERT INTO "entity" VALUES('uddi:uddi.org:xml:localname','tmodel',NULL,0,'uddi:yilian:registry',1795303154394014,1795303154394014,1795303154394014,0,'uddi-org:xml:localName','uddi-org:xml:localname','{"name":{"value":"uddi-org:xml:localName","lang":"en"},"overview_docs":[{"overview_url":{"value":"http://www.oasis-open.org/committees/uddi-spec/doc/tn/uddi-spec-tc-tn-wsdl-v202-20040631.htm","use_type":"text"}}],"category_bag":{"references":[{"tmodel_key":"uddi:uddi.org:categorization:types","key_value":"categorization","key_name":"categorization"}]},"descriptions":[{"value":"XML 本地名","lang":"zh"},{"value":"XML local name","lang":"en"}]}');
INSERT INTO "entity" VALUES('uddi:uddi.org:wsdl:porttypereference','tmodel',NULL,0,'uddi:yilian:registry',1795303154394014,1795303154394014,1795303154394014,0,'uddi-org:wsdl:portTypeReference','uddi-org:wsdl:porttypereference','{"name":{"value":"uddi-org:wsdl:portTypeReference","lang":"en"},"overview_docs":[{"overview_url":{"value":"http://www.oasis-open.org/committees/uddi-spec/doc/tn/uddi-spec-tc-tn-wsdl-v202-20040631.htm","use_type":"text"}}],"category_bag":{"references":[{"tmodel_key":"uddi:uddi.org:categorization:types","key_value":"categorization","key_name":"categorization"}]},"descriptions":[{"value":"WSDL portType 引用","lang":"zh"},{"value":"Reference to a WSDL portType''s tModel","lang":"en"}]}');
INSERT INTO "entity" VALUES('uddi:uddi.org:wsdl:categorization:protocol','tmodel',NULL,0,'uddi:yilian:registry',1795303154394014,1795303154394014,1795303154394014,0,'uddi-org:wsdl:categorization:protocol','uddi-org:wsdl:categorization:protocol','{"name":{"value":"uddi-org:wsdl:categorization:protocol","lang":"en"},"overview_docs":[{"overview_url":{"value":"http://www.oasis-open.org/committees/uddi-spec/doc/tn/uddi-spec-tc-tn-wsdl-v202-20040631.htm","use_type":"text"}}],"category_bag":{"references":[{"tmodel_key":"uddi:uddi.org:categorization:types","key_value":"categorization","key_name":"categorization"}]},"descriptions":[{"value":"WSDL 绑定的协议","lang":"zh"},{"value":"Protocol of a WSDL binding","lang":"en"}]}');
INSERT INTO "entity" VALUES('uddi:uddi.org:wsdl:categorization:transport','tmodel',NULL,0,'uddi:yilian:registry',1795303154394014,1795303154394014,1795303154394014,0,'uddi-org:wsdl:categorization:transport','uddi-org:wsdl:categorization:transport','{"name":{"value":"uddi-org:wsdl:categorization:transport","lang":"en"},"overview_docs":[{"overview_url":{"value":"http://www.oasis-open.org/committees/uddi-spec/doc/tn/uddi-spec-tc-tn-wsdl-v202-20040631.htm","use_type":"text"}}],"category_bag":{"references":[{"tmodel_key":"uddi:uddi.org:categorization:types","key_value":"categorization","key_name":"categorization"}]},"descriptions":[{"value":"WSDL 绑定的传输","lang":"zh"},{"value":"Transport of a WSDL binding","lang":"en"}]}');
INSERT INTO "entity" VALUES('uddi:uddi.org:wsdl:address','tmodel',NULL,0,'uddi:yilian:registry',1795303154394014,1795303154394014,1795303154394014,0,'uddi-org:wsdl:address','uddi-org:wsdl:address','{"name":{"value":"uddi-org:wsdl:address","lang":"en"},"overview_docs":[{"overview_url":{"value":"http://www.oasis-open.org/committees/uddi-spec/doc/tn/uddi-spec-tc-tn-wsdl-v202-20040631.htm","use_type":"text"}}],"category_bag":{"references":[{"tmodel_key":"uddi:uddi.org:categorization:types","key_value":"specification","key_name":"specification"}]},"descriptions":[{"value":"地址在 WSDL 中","lang":"zh"},{"value":"The address is in the WSDL","lang":"en"}]}');
INSERT INTO "entity" VALUES('uddi:uddi.org:protocol:soap','tmodel',NULL,0,'uddi:yilian:registry',1795303154394014,1795303154394014,1795303154394014,0,'uddi-org:protocol:soap','uddi-org:protocol:soap','{"name":{"value":"uddi-org:protocol:soap","lang":"en"},"overview_docs":[{"overview_url":{"value":"http://www.oasis-open.org/committees/uddi-spec/doc/tn/uddi-spec-tc-tn-wsdl-v202-20040631.htm","use_type":"text"}}],"category_bag":{"references":[{"tmodel_key":"uddi:uddi.org:categorization:types","key_value":"protocol","key_name":"protocol"}]},"descriptions":[{"value":"SOAP 1.1 协议","lang":"zh"},{"value":"SOAP 1.1","lang":"en"}]}');
INSERT INTO "entity" VALUES('uddi:uddi.org:protocol:http','tmodel',NULL,0,'uddi:yilian:registry',1795303154394014,1795303154394014,1795303154394014,0,'uddi-org:protocol:http','uddi-org:protocol:http','{"name":{"value":"uddi-org:protocol:http","lang":"en"},"overview_docs":[{"overview_url":{"value":"http://www.oasis-open.org/committees/uddi-spec/doc/tn/uddi-spec-tc-tn-wsdl-v202-20040631.htm","use_type":"text"}}],"category_bag":{"references":[{"tmodel_key":"uddi:uddi.org:categorization:types","key_value":"protocol","key_name":"protocol"}]},"descriptions":[{"value":"HTTP 协议","lang":"zh"},{"value":"HTTP","lang":"en"}]}');
INSERT INTO "entity" VALUES('uddi:uddi.org:transport:http','tmodel',NULL,0,'uddi:yilian:registry',1795303154394014,1795303154394014,1795303154394014,0,'uddi-org:http','uddi-org:http','{"name":{"value":"uddi-org:http","lang":"en"},"overview_docs":[{"overview_url":{"value":"http://www.uddi.org/pubs/uddi-v3.0.2-20041019.htm","use_type":"text"}}],"category_bag":{"references":[{"tmodel_key":"uddi:uddi.org:categorization:types","key_value":"transport","key_name":"transport"}]},"descriptions":[{"value":"HTTP 传输","lang":"zh"},{"value":"HTTP transport","lang":"en"}]}');
INSERT INTO "entity" VALUES('uddi:yilian:hospital-code','tmodel',NULL,0,'uddi:yilian:registry',1795303154394014,1795303154394014,1795303154394014,0,'yilian:hospital-code','yilian:hospital-code','{"name":{"value":"yilian:hospital-code","lang":"en"},"category_bag":{"references":[{"tmodel_key":"uddi:uddi.org:categorization:types","key_value":"identifier","key_name":"identifier"}]},"descriptions":[{"value":"医联体内的医院代码","lang":"zh"},{"value":"A hospital''s code in the alliance","lang":"en"}]}');
INSERT INTO "entity" VALUES('uddi:yilian:face:inside','tmodel',NULL,0,'uddi:yilian:registry',1795303154394014,1795303154394014,1795303154394014,0,'yilian:face:inside','yilian:face:inside','{"name":{"value":"yilian:face:inside","lang":"en"},"category_bag":{"references":[{"tmodel_key":"uddi:uddi.org:categorization:types","key_value":"specification","key_name":"specification"}]},"descriptions":[{"value":"院内地址，仅供网关使用","lang":"zh"},{"value":"The inside address, for the gateway alone","lang":"en"}]}');
INSERT INTO "entity" VALUES('uddi:yilian:labresults:porttype-v1','tmodel',NULL,0,'hx',1795303154401383,1795303154401383,1795303154401383,0,'LabResults','labresults','{"name":{"value":"LabResults"},"overview_docs":[{"overview_url":{"value":"http://10.0.0.1/hx/LabResults?wsdl","use_type":"wsdlInterface"}}],"category_bag":{"references":[{"tmodel_key":"uddi:uddi.org:wsdl:types","key_value":"portType","key_name":"WSDL type"},{"tmodel_key":"uddi:uddi.org:xml:namespace","key_value":"urn:yilian:LabResults:1","key_name":"namespace"}]}}');
INSERT INTO "entity" VALUES('uddi:yilian:labresults:binding-v1','tmodel',NULL,0,'hx',1795303154403867,1795303154403867,1795303154403867,0,'LabResultsSoap','labresultssoap','{"name":{"value":"LabResultsSoap"},"overview_docs":[{"overview_url":{"value":"http://10.0.0.1/hx/LabResults?wsdl","use_type":"wsdlInterface"}}],"category_bag":{"references":[{"tmodel_key":"uddi:uddi.org:wsdl:types","key_value":"binding","key_name":"WSDL type"},{"tmodel_key":"uddi:uddi.org:wsdl:porttypereference","key_value":"uddi:yilian:labresults:porttype-v1","key_name":"portType"},{"tmodel_key":"uddi:uddi.org:wsdl:categorization:protocol","key_value":"uddi:uddi.org:protocol:soap","key_name":"SOAP protocol"},{"tmodel_key":"uddi:uddi.org:wsdl:categorization:transport","key_value":"uddi:uddi.org:transport:http","key_name":"HTTP transport"},{"tmodel_key":"uddi:uddi.org:categorization:types","key_value":"wsdlSpec","key_name":"wsdlSpec"},{"tmodel_key":"uddi:uddi.org:xml:namespace","key_value":"urn:yilian:LabResults:1","key_name":"namespace"}]}}');
INSERT INTO "entity" VALUES('uddi:yilian:hospital:hx','business',NULL,0,'hx',1795303154405698,1795303154405698,1795303154405698,0,'华夏中心医院','华夏中心医院','{"names":[{"value":"华夏中心医院","lang":"zh"},{"value":"Huaxia","lang":"en"}],"identifier_bag":[{"tmodel_key":"uddi:yilian:hospital-code","key_value":"hx","key_name":"医院代码"}],"contacts":[{"person_names":[{"value":"信息科","lang":"zh"}],"phones":[{"value":"8001"}]}]}');
INSERT INTO "entity" VALUES('uddi:yilian:hx:labresults','service','uddi:yilian:hospital:hx',0,'hx',1795303154405698,1795303154405698,1795303154405698,0,'检验结果查询','检验结果查询','{"names":[{"value":"检验结果查询","lang":"zh"},{"value":"LabResults","lang":"en"}],"category_bag":{"references":[{"tmodel_key":"uddi:uddi.org:wsdl:types","key_value":"service","key_name":"WSDL type"},{"tmodel_key":"uddi:uddi.org:xml:namespace","key_value":"urn:yilian:LabResults:1","key_name":"namespace"},{"tmodel_key":"uddi:uddi.org:xml:localname","key_value":"LabResults","key_name":"service"}]}}');
INSERT INTO "entity" VALUES('uddi:yilian:hx:labresults:outside','binding','uddi:yilian:hx:labresults',0,'hx',1795303154405698,1795303154405698,1795303154405698,0,'','','{"access_point":{"value":"http://gw:8080/hx/LabResults","use_type":"endPoint"},"instances":[{"tmodel_key":"uddi:yilian:labresults:binding-v1","instance_details":{"instance_parms":"LabResultsPort","overview_docs":[{"overview_url":{"value":"http://10.0.0.1/hx/LabResults?wsdl","use_type":"wsdlInterface"}}]}},{"tmodel_key":"uddi:yilian:labresults:porttype-v1"}]}');
INSERT INTO "entity" VALUES('uddi:yilian:hx:labresults:inside','binding','uddi:yilian:hx:labresults',1,'hx',1795303154405698,1795303154405698,1795303154405698,0,'','','{"access_point":{"value":"http://10.0.0.1:8082/hx/LabResults","use_type":"endPoint"},"instances":[{"tmodel_key":"uddi:yilian:labresults:binding-v1","instance_details":{"instance_parms":"LabResultsPort","overview_docs":[{"overview_url":{"value":"http://10.0.0.1/hx/LabResults?wsdl","use_type":"wsdlInterface"}}]}},{"tmodel_key":"uddi:yilian:labresults:porttype-v1"},{"tmodel_key":"uddi:yilian:face:inside"}]}');
INSERT INTO "entity" VALUES('uddi:yilian:hospital:sq','business',NULL,0,'sq',1795303154409369,1795303154409369,1795303154409369,0,'社区 O''Neil 医院','社区 o''neil 医院','{"names":[{"value":"社区 O''Neil 医院","lang":"zh"}]}');
INSERT INTO "entity" VALUES('uddi:yilian:gone','tmodel',NULL,0,'sq',1795303154411013,1795303154412552,1795303154411013,1,'gone','gone','{"name":{"value":"gone"}}');
CREATE TABLE instance_info (
	id INTEGER NOT NULL, 
	entity_key VARCHAR(255) NOT NULL, 
	tmodel_key VARCHAR(255) NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(entity_key) REFERENCES entity ("key") ON DELETE CASCADE
);
INSERT INTO "instance_info" VALUES(1,'uddi:yilian:hx:labresults:outside','uddi:yilian:labresults:binding-v1');
INSERT INTO "instance_info" VALUES(2,'uddi:yilian:hx:labresults:outside','uddi:yilian:labresults:porttype-v1');
INSERT INTO "instance_info" VALUES(3,'uddi:yilian:hx:labresults:inside','uddi:yilian:labresults:binding-v1');
INSERT INTO "instance_info" VALUES(4,'uddi:yilian:hx:labresults:inside','uddi:yilian:labresults:porttype-v1');
INSERT INTO "instance_info" VALUES(5,'uddi:yilian:hx:labresults:inside','uddi:yilian:face:inside');
CREATE TABLE keyed_reference (
	id INTEGER NOT NULL, 
	entity_key VARCHAR(255) NOT NULL, 
	bag VARCHAR(10) NOT NULL, 
	tmodel_key VARCHAR(255) NOT NULL, 
	key_name VARCHAR(255) NOT NULL, 
	key_value VARCHAR(255) NOT NULL, 
	folded TEXT NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(entity_key) REFERENCES entity ("key") ON DELETE CASCADE
);
INSERT INTO "keyed_reference" VALUES(1,'uddi:uddi.org:categorization:types','category','uddi:uddi.org:categorization:types','categorization','categorization','categorization');
INSERT INTO "keyed_reference" VALUES(2,'uddi:uddi.org:categorization:general_keywords','category','uddi:uddi.org:categorization:types','categorization','categorization','categorization');
INSERT INTO "keyed_reference" VALUES(3,'uddi:uddi.org:wsdl:types','category','uddi:uddi.org:categorization:types','categorization','categorization','categorization');
INSERT INTO "keyed_reference" VALUES(4,'uddi:uddi.org:xml:namespace','category','uddi:uddi.org:categorization:types','categorization','categorization','categorization');
INSERT INTO "keyed_reference" VALUES(5,'uddi:uddi.org:xml:localname','category','uddi:uddi.org:categorization:types','categorization','categorization','categorization');
INSERT INTO "keyed_reference" VALUES(6,'uddi:uddi.org:wsdl:porttypereference','category','uddi:uddi.org:categorization:types','categorization','categorization','categorization');
INSERT INTO "keyed_reference" VALUES(7,'uddi:uddi.org:wsdl:categorization:protocol','category','uddi:uddi.org:categorization:types','categorization','categorization','categorization');
INSERT INTO "keyed_reference" VALUES(8,'uddi:uddi.org:wsdl:categorization:transport','category','uddi:uddi.org:categorization:types','categorization','categorization','categorization');
INSERT INTO "keyed_reference" VALUES(9,'uddi:uddi.org:wsdl:address','category','uddi:uddi.org:categorization:types','specification','specification','specification');
INSERT INTO "keyed_reference" VALUES(10,'uddi:uddi.org:protocol:soap','category','uddi:uddi.org:categorization:types','protocol','protocol','protocol');
INSERT INTO "keyed_reference" VALUES(11,'uddi:uddi.org:protocol:http','category','uddi:uddi.org:categorization:types','protocol','protocol','protocol');
INSERT INTO "keyed_reference" VALUES(12,'uddi:uddi.org:transport:http','category','uddi:uddi.org:categorization:types','transport','transport','transport');
INSERT INTO "keyed_reference" VALUES(13,'uddi:yilian:hospital-code','category','uddi:uddi.org:categorization:types','identifier','identifier','identifier');
INSERT INTO "keyed_reference" VALUES(14,'uddi:yilian:face:inside','category','uddi:uddi.org:categorization:types','specification','specification','specification');
INSERT INTO "keyed_reference" VALUES(15,'uddi:yilian:labresults:porttype-v1','category','uddi:uddi.org:wsdl:types','WSDL type','portType','porttype');
INSERT INTO "keyed_reference" VALUES(16,'uddi:yilian:labresults:porttype-v1','category','uddi:uddi.org:xml:namespace','namespace','urn:yilian:LabResults:1','urn:yilian:labresults:1');
INSERT INTO "keyed_reference" VALUES(17,'uddi:yilian:labresults:binding-v1','category','uddi:uddi.org:wsdl:types','WSDL type','binding','binding');
INSERT INTO "keyed_reference" VALUES(18,'uddi:yilian:labresults:binding-v1','category','uddi:uddi.org:wsdl:porttypereference','portType','uddi:yilian:labresults:porttype-v1','uddi:yilian:labresults:porttype-v1');
INSERT INTO "keyed_reference" VALUES(19,'uddi:yilian:labresults:binding-v1','category','uddi:uddi.org:wsdl:categorization:protocol','SOAP protocol','uddi:uddi.org:protocol:soap','uddi:uddi.org:protocol:soap');
INSERT INTO "keyed_reference" VALUES(20,'uddi:yilian:labresults:binding-v1','category','uddi:uddi.org:wsdl:categorization:transport','HTTP transport','uddi:uddi.org:transport:http','uddi:uddi.org:transport:http');
INSERT INTO "keyed_reference" VALUES(21,'uddi:yilian:labresults:binding-v1','category','uddi:uddi.org:categorization:types','wsdlSpec','wsdlSpec','wsdlspec');
INSERT INTO "keyed_reference" VALUES(22,'uddi:yilian:labresults:binding-v1','category','uddi:uddi.org:xml:namespace','namespace','urn:yilian:LabResults:1','urn:yilian:labresults:1');
INSERT INTO "keyed_reference" VALUES(23,'uddi:yilian:hospital:hx','identifier','uddi:yilian:hospital-code','医院代码','hx','hx');
INSERT INTO "keyed_reference" VALUES(24,'uddi:yilian:hx:labresults','category','uddi:uddi.org:wsdl:types','WSDL type','service','service');
INSERT INTO "keyed_reference" VALUES(25,'uddi:yilian:hx:labresults','category','uddi:uddi.org:xml:namespace','namespace','urn:yilian:LabResults:1','urn:yilian:labresults:1');
INSERT INTO "keyed_reference" VALUES(26,'uddi:yilian:hx:labresults','category','uddi:uddi.org:xml:localname','service','LabResults','labresults');
CREATE TABLE name (
	id INTEGER NOT NULL, 
	entity_key VARCHAR(255) NOT NULL, 
	kind VARCHAR(8) NOT NULL, 
	lang VARCHAR(26) NOT NULL, 
	value VARCHAR(255) NOT NULL, 
	folded TEXT NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(entity_key) REFERENCES entity ("key") ON DELETE CASCADE
);
INSERT INTO "name" VALUES(1,'uddi:uddi.org:categorization:types','tmodel','en','uddi-org:types','uddi-org:types');
INSERT INTO "name" VALUES(2,'uddi:uddi.org:categorization:general_keywords','tmodel','en','uddi-org:general_keywords','uddi-org:general_keywords');
INSERT INTO "name" VALUES(3,'uddi:uddi.org:wsdl:types','tmodel','en','uddi-org:wsdl:types','uddi-org:wsdl:types');
INSERT INTO "name" VALUES(4,'uddi:uddi.org:xml:namespace','tmodel','en','uddi-org:xml:namespace','uddi-org:xml:namespace');
INSERT INTO "name" VALUES(5,'uddi:uddi.org:xml:localname','tmodel','en','uddi-org:xml:localName','uddi-org:xml:localname');
INSERT INTO "name" VALUES(6,'uddi:uddi.org:wsdl:porttypereference','tmodel','en','uddi-org:wsdl:portTypeReference','uddi-org:wsdl:porttypereference');
INSERT INTO "name" VALUES(7,'uddi:uddi.org:wsdl:categorization:protocol','tmodel','en','uddi-org:wsdl:categorization:protocol','uddi-org:wsdl:categorization:protocol');
INSERT INTO "name" VALUES(8,'uddi:uddi.org:wsdl:categorization:transport','tmodel','en','uddi-org:wsdl:categorization:transport','uddi-org:wsdl:categorization:transport');
INSERT INTO "name" VALUES(9,'uddi:uddi.org:wsdl:address','tmodel','en','uddi-org:wsdl:address','uddi-org:wsdl:address');
INSERT INTO "name" VALUES(10,'uddi:uddi.org:protocol:soap','tmodel','en','uddi-org:protocol:soap','uddi-org:protocol:soap');
INSERT INTO "name" VALUES(11,'uddi:uddi.org:protocol:http','tmodel','en','uddi-org:protocol:http','uddi-org:protocol:http');
INSERT INTO "name" VALUES(12,'uddi:uddi.org:transport:http','tmodel','en','uddi-org:http','uddi-org:http');
INSERT INTO "name" VALUES(13,'uddi:yilian:hospital-code','tmodel','en','yilian:hospital-code','yilian:hospital-code');
INSERT INTO "name" VALUES(14,'uddi:yilian:face:inside','tmodel','en','yilian:face:inside','yilian:face:inside');
INSERT INTO "name" VALUES(15,'uddi:yilian:labresults:porttype-v1','tmodel','','LabResults','labresults');
INSERT INTO "name" VALUES(16,'uddi:yilian:labresults:binding-v1','tmodel','','LabResultsSoap','labresultssoap');
INSERT INTO "name" VALUES(17,'uddi:yilian:hospital:hx','business','zh','华夏中心医院','华夏中心医院');
INSERT INTO "name" VALUES(18,'uddi:yilian:hospital:hx','business','en','Huaxia','huaxia');
INSERT INTO "name" VALUES(19,'uddi:yilian:hx:labresults','service','zh','检验结果查询','检验结果查询');
INSERT INTO "name" VALUES(20,'uddi:yilian:hx:labresults','service','en','LabResults','labresults');
INSERT INTO "name" VALUES(21,'uddi:yilian:hospital:sq','business','zh','社区 O''Neil 医院','社区 o''neil 医院');
INSERT INTO "name" VALUES(22,'uddi:yilian:gone','tmodel','','gone','gone');
CREATE TABLE token (
	digest VARCHAR(64) NOT NULL, 
	publisher VARCHAR(255) NOT NULL, 
	expires BIGINT NOT NULL, 
	PRIMARY KEY (digest)
);
INSERT INTO "token" VALUES('89f06d0ad8d537cfb19dee687d1c4d24d68fc1515a8c411def06d826a0569fcd','hx',1795306754);
CREATE INDEX ix_entity_parent_key ON entity (parent_key);
CREATE INDEX entity_by_name ON entity (kind, sort_name, "key");
CREATE INDEX ix_entity_publisher ON entity (publisher);
CREATE INDEX ix_name_entity_key ON name (entity_key);
CREATE INDEX name_by_folded ON name (kind, folded);
CREATE INDEX name_by_value ON name (kind, value);
CREATE INDEX reference_by_value ON keyed_reference (tmodel_key, key_value);
CREATE INDEX reference_by_folded ON keyed_reference (tmodel_key, folded);
CREATE INDEX ix_keyed_reference_entity_key ON keyed_reference (entity_key);
CREATE INDEX ix_instance_info_entity_key ON instance_info (entity_key);
CREATE INDEX ix_instance_info_tmodel_key ON instance_info (tmodel_key);
COMMIT;
