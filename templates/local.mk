templatesdir = $(datadir)/sysctr/templates
dist_templates_DATA = %D%/alpine.yaml %D%/debian.yaml
